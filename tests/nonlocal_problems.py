"""Equations whose rows use more than one point, each with its solution, and networks for them."""

from __future__ import annotations

import math

import torch
from torch import nn

from pinnlab.equations import Constraint, Equation, Shift, Unknown, Whole, periodic
from pinnlab.geometry import Box, Interval, PointSet
from pinnlab.networks import MLP, RandomFeatures
from pinnlab.operators import Caputo, Fredholm, GaussLegendre, HilbertOnLine, SinhTrapezoid, TanTrapezoid, Volterra


class VolterraSecondKind(Equation):
    """u(x) = 1 + ∫_0^x e^{x − y} u(y) dy on [0, 1]: u = (1 + e^{2x})/2."""

    inputs, outputs = ("x",), ("u",)

    def constraints(self):
        rule = GaussLegendre(x=(0, 1), nodes=30)
        operators = {"volterra": lambda rule: Volterra(rule, lambda x, y: torch.exp(x - y))}
        return {"interior": Whole(rule, lambda u, volterra: u - 1 - volterra @ u, operators=operators)}

    @staticmethod
    def truth(x):
        return (1 + torch.exp(2 * x)) / 2


class FredholmSecondKind(Equation):
    """u(x) = e^x + ∫_0^1 x y u(y) dy: u = e^x + 3x/2."""

    inputs, outputs = ("x",), ("u",)

    def constraints(self):
        rule = GaussLegendre(x=(0, 1), nodes=30)
        operators = {"fredholm": lambda rule: Fredholm(rule, lambda x, y: x * y)}
        return {"interior": Whole(rule, lambda x, u, fredholm: u - x.exp() - fredholm @ u, operators=operators)}

    @staticmethod
    def truth(x):
        return torch.exp(x) + 1.5 * x


class Normalised(Equation):
    """u'' + λu = 0, u(0) = u(1) = 0, ∫ u² = 1: u = ±√2 sin πx, λ = π²."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, start=8.0):
        super().__init__()
        self.eigenvalue = Unknown(start)

    def constraints(self):
        interval = Interval(x=(0, 1))
        return {
            "interior": Constraint(interval, lambda x, u, eigenvalue: u.d(x, x) + eigenvalue * u, points=40),
            "walls": Constraint(interval.boundary, lambda u: u),
            "norm": Whole(GaussLegendre(x=(0, 1), nodes=24), lambda u, weight: (weight * u * u).sum() - 1),
        }

    @staticmethod
    def truth(x):
        return math.sqrt(2) * torch.sin(math.pi * x)


class Relaxation(Equation):
    """D^{1/2} u = −u, u(0) = 1 on [0, 1]: the Mittag-Leffler function E_{1/2}(−√t) = e^t erfc √t."""

    inputs, outputs = ("t",), ("u",)

    def constraints(self):
        rule = GaussLegendre(t=(0, 1), nodes=16, power=0.5)
        operators = {"caputo": lambda rule: Caputo(rule, 0.5)}
        return {
            "interior": Whole(rule, lambda u, caputo: caputo @ u + u, operators=operators),
            "start": Constraint(PointSet(t=0.0), lambda u: u - 1),
        }

    @staticmethod
    def truth(t):
        return torch.exp(t) * torch.special.erfc(t.sqrt())


class Heat(Equation):
    """u_t = u_xx, periodic on [0, 2π], u(0, x) = sin x: u = e^{−t} sin x."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 1), x=(0, 2 * math.pi))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - u.d(x, x), points=600),
            "start": Constraint(box.face("t", 0), lambda x, u: u - torch.sin(x), points=80),
            "periodic": periodic(box, "x", "u", points=60),
        }

    @staticmethod
    def truth(t, x):
        return torch.exp(-t) * torch.sin(x)


class Delay(Equation):
    """u' = −(π/2) u(t − 1) on [0, 3] with the history cos(πt/2), which u continues smoothly.

    Before t = 0 the residual has the history, and not the network.
    """

    inputs, outputs = ("t",), ("u",)

    def constraints(self):
        return {
            "first": Constraint(
                Interval(t=(0, 1)), lambda t, u: u.d(t) + math.pi / 2 * torch.cos(math.pi / 2 * (t - 1)), points=40
            ),
            "later": Constraint(
                Interval(t=(1, 3)),
                lambda t, u, before: u.d(t) + math.pi / 2 * before.u,
                points=80,
                places={"before": Shift(t=-1.0)},
            ),
            "start": Constraint(PointSet(t=0.0), lambda u: u - 1),
        }

    @staticmethod
    def truth(t):
        return torch.cos(math.pi / 2 * t)


class KinkedDelay(Equation):
    """u' = −u(t − 1) on [0, 3] with the history 1: an output for each unit of time, and kinks between them."""

    inputs, outputs = ("t",), ("first", "second", "third")

    def constraints(self):
        before = {"before": Shift(t=-1.0)}
        return {
            "one": Constraint(Interval(t=(0, 1)), lambda t, first: first.d(t) + 1, points=40),
            "two": Constraint(
                Interval(t=(1, 2)), lambda t, second, before: second.d(t) + before.first, points=40, places=before
            ),
            "three": Constraint(
                Interval(t=(2, 3)), lambda t, third, before: third.d(t) + before.second, points=40, places=before
            ),
            "at_0": Constraint(PointSet(t=0.0), lambda first: first - 1),
            "at_1": Constraint(PointSet(t=1.0), lambda first, second: second - first),
            "at_2": Constraint(PointSet(t=2.0), lambda second, third: third - second),
        }

    @staticmethod
    def truth(t):
        """Σ_k (−1)^k (t − k + 1)^k / k! over k ≤ t + 1: each piece is the integral of the one before."""
        return sum((-1) ** k * (t - k + 1) ** k / math.factorial(k) * (t >= k - 1) for k in range(5))


class Soliton(Equation):
    """The wave of the Benjamin-Ono equation in its moving frame, −u + u²/2 − H u' = 0, u(0) = 4: u = 4/(1 + x²)."""

    inputs, outputs = ("x",), ("u",)

    def constraints(self):
        rule = SinhTrapezoid(x=(-1e6, 1e6), nodes=400)
        operators = {"hilbert": HilbertOnLine}
        return {
            "wave": Whole(rule, lambda x, u, hilbert: -u + u * u / 2 - (hilbert @ u).d(x), operators=operators),
            "crest": Constraint(PointSet(x=0.0), lambda u: u - 4),
        }

    @staticmethod
    def truth(x):
        return 4 / (1 + x * x)


class MovingSoliton(Equation):
    """The Benjamin-Ono equation u_t + u u_x − H u_xx = 0 on the line for t in [0, 1], from u = 4/(1 + x²).

    The wave moves with the speed 1. There is a group of nodes in x for each t.
    """

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        line = TanTrapezoid(x=(0.5, 1), nodes=41)
        times = PointSet(t=GaussLegendre(t=(0, 1), nodes=14).nodes["t"])
        return {
            "wave": Whole(
                line,
                lambda t, x, u, hilbert: u.d(t) + u * u.d(x) - hilbert @ u.d(x, x),
                operators={"hilbert": HilbertOnLine},
                each=times,
            ),
            "start": Whole(line, lambda x, u: u - 4 / (1 + x * x), each=PointSet(t=0.0)),
        }

    @staticmethod
    def truth(t, x):
        return 4 / (1 + (x - t) ** 2)


class Root(nn.Module):
    """A network of √t: a function of t^{1/2}, as the solutions of fractional equations are."""

    def __init__(self, inputs, outputs, network=RandomFeatures):
        super().__init__()
        self.network = network(inputs, outputs)

    def forward(self, t):
        return self.network(torch.sqrt(t))


class Bell(nn.Module):
    """q N(q) with q = 1/(1 + x²/4): an even function that decays like 1/x²."""

    def __init__(self, inputs, outputs, network=RandomFeatures):
        super().__init__()
        self.network = network(inputs, outputs)

    def forward(self, x):
        q = 1 / (1 + x * x / 4)
        return q * self.network(q)


class OnTheLine(nn.Module):
    """N(2t − 1, cos φ, sin φ) / (1 + y²) with φ = 2 arctan y, y = x − 1/2: trained, of what `Harmonics` spans."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.network = MLP(3, outputs, width=30, depth=3)

    def forward(self, tx):
        t, y = 2 * tx[..., :1] - 1, tx[..., 1:] - 0.5
        decay = 1 / (1 + y * y)
        return 4 * decay * self.network(torch.cat([t, (1 - y * y) * decay, 2 * y * decay], -1))


class Harmonics(nn.Module):
    """Σ_jk T_j(2t − 1) (a_jk cos kφ + b_jk sin kφ) / (1 + y²) with φ = 2 arctan y, y = x − 1/2: fixed features.

    These are functions of t in [0, 1] and of the whole line, which decay like 1/x².
    """

    def __init__(self, inputs, outputs, degree=12, waves=12):
        super().__init__()
        self.degree = degree
        self.register_buffer("waves", torch.arange(waves + 1.0))
        self.last = nn.Linear((degree + 1) * 2 * (waves + 1), outputs, bias=False)

    def forward(self, tx):
        t, y = 2 * tx[..., :1] - 1, tx[..., 1:] - 0.5
        polynomials = [torch.ones_like(t), t]
        while len(polynomials) <= self.degree:
            polynomials.append(2 * t * polynomials[-1] - polynomials[-2])
        angle = 2 * torch.atan(y) * self.waves
        circle = torch.cat([torch.cos(angle), torch.sin(angle)], -1)
        return self.last(torch.cat([p * circle for p in polynomials], -1)) / (1 + y * y)
