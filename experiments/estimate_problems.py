"""Problems with known truths on which estimates of errors are judged: see error_estimates.py.

Those of DEVELOPMENT were at hand when the estimate was made; those of JUDGEMENT were named before their first run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import nn

from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Box, Disc, Interval, PointSet
from pinnlab.jets.operators import laplacian
from pinnlab.networks import MLP, RandomFeatures, Staged
from pinnlab.problems import Poisson, ViscousBurgers
from pinnlab.problems.parabolic.viscous_burgers import BurgersAnsatz
from pinnlab.training import Adam, GaussNewton
from pinnlab.training.phases import Phase

Array = np.ndarray
SMALL = partial(MLP, width=12, depth=2, initialisation="kaiming_uniform")
USUAL = partial(MLP, width=20, depth=3, initialisation="kaiming_uniform")


@dataclass(frozen=True)
class Problem:
    """An equation, how it is solved, and what its solution is.

    Attributes:
        equation: Makes the equation for a seed; the seed draws noise, where there is some.
        network: As for `pinnlab.solve`.
        phases: By seed, so that solutions of all qualities come about.
        points: As for `pinnlab.solve`.
        truth: Outputs by name at points, where the equation has no `exact`.
        options: Further options of `pinnlab.solve`.
    """

    equation: Callable[[int], Equation]
    network: Callable[[int, int], nn.Module] = MLP
    phases: Callable[[int], list[Phase]] = lambda seed: [GaussNewton((15, 40, 100)[seed % 3])]
    points: Mapping[str, int] | None = None
    truth: Callable[[Mapping[str, Array]], Mapping[str, Array]] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def features(count: int, network: Callable[[int, int], nn.Module] = USUAL) -> Callable[[int, int], nn.Module]:
    """A network with a correction of fixed features of its last hidden layer."""
    return partial(Staged, stages=[network, partial(RandomFeatures, features=count)], reuse=True)


def staged(*steps: int) -> Callable[[int], list[Phase]]:
    """Gauss-Newton of a network, a different number of steps for each seed, then of fixed features."""
    return lambda seed: [
        GaussNewton(steps[seed % len(steps)], factorisation="cholesky"),
        GaussNewton(4, stage=2, damping=1e-24),
    ]


# --- smooth ---------------------------------------------------------------------------------------------------------


class Helmholtz(Equation):
    """u_xx + u_yy + u = q on [−1, 1]², u = sin πx sin 4πy."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        box = Box(x=(-1, 1), y=(-1, 1))
        return {
            "interior": Constraint(
                box, lambda x, y, u: laplacian(u, x, y) + u - (1 - 17 * math.pi**2) * self.exact(x, y), points=1200
            ),
            "walls": Constraint(box.faces("x", "y"), lambda u: u, points=240, weight=100.0),
        }

    def exact(self, x, y):
        return torch.sin(math.pi * x) * torch.sin(4 * math.pi * y)


class Beam(Equation):
    """u_tt + u_xxxx = 0 on [0, 0.3] × [0, 1], hinged; u = sin πx cos π²t."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 0.3), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t, t) + u.d(x, x, x, x), points=800),
            "start": Constraint(
                box.face("t", 0), lambda t, x, u: (u - torch.sin(math.pi * x), u.d(t)), points=60, weight=100.0
            ),
            "ends": Constraint(box.faces("x"), lambda x, u: (u, u.d(x, x)), points=80, weight=100.0),
        }

    def exact(self, t, x):
        return torch.sin(math.pi * x) * torch.cos(math.pi**2 * t)


class Robin(Equation):
    """Δu = 2y on the unit disc with ∂u/∂n + u given; u = e^x cos y + x² y."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        disc = Disc((0, 0), 1.0)

        def flux(x, y, u, normal_x, normal_y):
            e, c, s = torch.exp(x), torch.cos(y), torch.sin(y)
            given = normal_x * (e * c + 2 * x * y) + normal_y * (x * x - e * s) + e * c + x * x * y
            return normal_x * u.d(x) + normal_y * u.d(y) + u - given

        return {
            "interior": Constraint(disc, lambda x, y, u: laplacian(u, x, y) - 2 * y, points=500),
            "rim": Constraint(disc.boundary, flux, points=100, weight=10.0),
        }

    def exact(self, x, y):
        return torch.exp(x) * torch.cos(y) + x * x * y


class Heat(Equation):
    """u_t = Δu / 5 on the unit cube of five dimensions; u = e^{−π²t/4} Π cos(πx_i/2)."""

    inputs, outputs = ("t", "x1", "x2", "x3", "x4", "x5"), ("u",)

    def constraints(self):
        names = self.inputs[1:]
        box = Box(t=(0, 1), **dict.fromkeys(names, (0, 1)))
        return {
            "interior": Constraint(box, self.balance, points=1000),
            "start": Constraint(box.face("t", 0), self.gap, points=200, weight=10.0),
            "walls": Constraint(box.faces(*names), self.gap, points=400, weight=10.0),
        }

    def balance(self, t, x1, x2, x3, x4, x5, u):
        return u.d(t) - laplacian(u, x1, x2, x3, x4, x5) / 5

    def gap(self, t, x1, x2, x3, x4, x5, u):
        return u - self.exact(t, x1, x2, x3, x4, x5)

    def exact(self, t, x1, x2, x3, x4, x5):
        product = torch.exp(-(math.pi**2) / 4 * t)
        for x in (x1, x2, x3, x4, x5):
            product = product * torch.cos(math.pi * x / 2)
        return product


# --- systems --------------------------------------------------------------------------------------------------------


class Kovasznay(Equation):
    """Steady Navier-Stokes behind a grid at Re = 40 on [−0.5, 1] × [−0.5, 1.5] (Kovasznay 1948)."""

    inputs, outputs = ("x", "y"), ("u", "v", "p")

    def constraints(self):
        box = Box(x=(-0.5, 1.0), y=(-0.5, 1.5))

        def flow(x, y, u, v, p):
            return (
                u * u.d(x) + v * u.d(y) + p.d(x) - laplacian(u, x, y) / 40,
                u * v.d(x) + v * v.d(y) + p.d(y) - laplacian(v, x, y) / 40,
                u.d(x) + v.d(y),
            )

        def rim(x, y, u, v, p):
            true = self.exact(x, y)
            return u - true[0], v - true[1]

        def level(x, y, p):
            return p - self.exact(x, y)[2]

        return {
            "interior": Constraint(box, flow, points=600),
            "rim": Constraint(box.faces("x", "y"), rim, points=200, weight=10.0),
            "level": Constraint(PointSet(x=[1.0], y=[0.0]), level),
        }

    def exact(self, x, y):
        lam = 20 - math.sqrt(400 + 4 * math.pi**2)
        e, angle = torch.exp(lam * x), 2 * math.pi * y
        return 1 - e * torch.cos(angle), lam / (2 * math.pi) * e * torch.sin(angle), (1 - e * e) / 2


class LotkaVolterra(Equation):
    """x' = x − xy/2, y' = −3y/4 + xy/4 for t < 6, x(0) = 4, y(0) = 1."""

    inputs, outputs = ("t",), ("x", "y")

    def constraints(self):
        line = Interval(t=(0, 6))
        return {
            "ode": Constraint(
                line, lambda t, x, y: (x.d(t) - x + x * y / 2, y.d(t) + 0.75 * y - x * y / 4), points=120
            ),
            "start": Constraint(line.face("t", 0), lambda x, y: (x - 4, y - 1), weight=10.0),
        }

    @staticmethod
    def truth(points: Mapping[str, Array]) -> Mapping[str, Array]:
        return flow(lambda t, s: (s[0] - s[0] * s[1] / 2, -0.75 * s[1] + s[0] * s[1] / 4), (4, 1), points["t"], "xy")


class Lorenz(Equation):
    """Lorenz' equations with σ = 10, ρ = 28, β = 8/3 from (1, 1, 1), scaled by 20, for t up to an end."""

    inputs, outputs = ("t",), ("x", "y", "z")

    def __init__(self, end: float) -> None:
        super().__init__()
        self.end = end

    def constraints(self):
        line = Interval(t=(0, self.end))
        return {
            "ode": Constraint(
                line,
                lambda t, x, y, z: (
                    x.d(t) - 10 * (y - x),
                    y.d(t) - x * (28 - 20 * z) + y,
                    z.d(t) - 20 * x * y + 8 / 3 * z,
                ),
                points=200,
            ),
            "start": Constraint(line.face("t", 0), lambda x, y, z: (x - 0.05, y - 0.05, z - 0.05), weight=100.0),
        }

    @staticmethod
    def truth(points: Mapping[str, Array]) -> Mapping[str, Array]:
        def right(t, s):
            x, y, z = s
            return 10 * (y - x), x * (28 - 20 * z) - y, 20 * x * y - 8 / 3 * z

        return flow(right, (0.05, 0.05, 0.05), points["t"], "xyz")


class Pendulum(Equation):
    """θ'' + sin θ = 0, θ(0) = 2, θ'(0) = 0, for t up to an end."""

    inputs, outputs = ("t",), ("q",)

    def __init__(self, end: float) -> None:
        super().__init__()
        self.end = end

    def constraints(self):
        line = Interval(t=(0, self.end))
        return {
            "ode": Constraint(line, lambda t, q: q.d(t, t) + torch.sin(q), points=200),
            "start": Constraint(line.face("t", 0), lambda t, q: (q - 2, q.d(t))),
        }

    @staticmethod
    def truth(points: Mapping[str, Array]) -> Mapping[str, Array]:
        return {"q": flow(lambda t, s: (s[1], -np.sin(s[0])), (2, 0), points["t"], "qp")["q"]}


def flow(right: Callable[..., Any], start: tuple[float, ...], t: Array, names: str) -> dict[str, Array]:
    """The solution of y' = f(t, y) at times t, by an eighth-order Runge-Kutta method."""
    order = np.argsort(t)
    done = solve_ivp(right, (0, float(t.max())), start, "DOP853", t[order], rtol=1e-12, atol=1e-13)
    found = np.empty_like(done.y)
    found[:, order] = done.y
    return dict(zip(names, found, strict=True))


# --- fronts ---------------------------------------------------------------------------------------------------------


class Layer(Equation):
    """ε u'' + u' = 0 on [0, 1], u(0) = 0, u(1) = 1: a layer of width ε at 0."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, epsilon: float = 0.01) -> None:
        super().__init__()
        self.epsilon = epsilon

    def constraints(self):
        line = Interval(x=(0, 1))
        return {
            "interior": Constraint(line, lambda x, u: self.epsilon * u.d(x, x) + u.d(x), points=150),
            "ends": Constraint(PointSet(x=[0.0, 1.0]), lambda x, u: u - x),
        }

    def exact(self, x):
        return (1 - torch.exp(-x / self.epsilon)) / (1 - math.exp(-1 / self.epsilon))


class Wave(Equation):
    """u_t = 2w² u_xx + 4 u (1 − u)(u − ¼), Nagumo's equation: the travelling front u = 1 / (1 + exp((x − ct)/w))."""

    inputs, outputs = ("t", "x"), ("u",)

    def __init__(self, width: float = 0.05) -> None:
        super().__init__()
        self.width = width

    def constraints(self):
        box = Box(t=(0, 1), x=(-1, 1))
        w = self.width

        def balance(t, x, u):
            return u.d(t) - 2 * w * w * u.d(x, x) - u * (1 - u) * (u - 0.25) * 4

        return {
            "interior": Constraint(box, balance, points=600),
            "start": Constraint(box.face("t", 0), lambda t, x, u: u - self.exact(t, x), points=80, weight=10.0),
            "walls": Constraint(box.faces("x"), lambda t, x, u: u - self.exact(t, x), points=80, weight=10.0),
        }

    def exact(self, t, x):
        # D = 2w² and k = 4: the width is √(2D/k) = w, the speed c = √(2Dk) (½ − ¼)
        speed = math.sqrt(2 * 2 * self.width**2 * 4) * 0.25
        return 0.5 - 0.5 * torch.tanh((x - speed * t) / (2 * self.width))


# --- unknown fields -------------------------------------------------------------------------------------------------


class Conductivity(Equation):
    """(k u')' = −10 on [0, 1] with u measured; k = 1 + sin(2πx)/2 is sought, known at 0."""

    inputs, outputs = ("x",), ("u", "k")

    def __init__(self, seed: int, noise: float = 0.0) -> None:
        super().__init__()
        x = np.linspace(0, 1, 81)
        self.measured = (x, self.truth({"x": x})["u"] + noise * np.random.default_rng(seed).normal(size=len(x)))

    def constraints(self):
        x, m = self.measured
        line = Interval(x=(0, 1))
        return {
            "balance": Constraint(line, lambda x, u, k: (k * u.d(x)).d(x) + 10, points=100),
            "data": Constraint(PointSet(x=x, m=m), lambda u, m: u - m, weight=100.0),
            "known": Constraint(line.face("x", 0), lambda k: k - 1),
        }

    @staticmethod
    def truth(points: Mapping[str, Array]) -> Mapping[str, Array]:
        # k u' = 4 − 10 x, u(0) = 0
        x = points["x"]
        k = lambda s: 1 + np.sin(2 * np.pi * s) / 2  # noqa: E731
        nodes, weights = np.polynomial.legendre.leggauss(60)
        s = x[:, None] * (nodes + 1) / 2
        return {"u": x / 2 * (((4 - 10 * s) / k(s)) @ weights), "k": k(x)}


class Source(Equation):
    """−u'' = q on [0, 1], u(0) = u(1) = 0, with u measured; q = 10 sin(3x) e^{−x} is sought."""

    inputs, outputs = ("x",), ("u", "q")

    def constraints(self):
        x = np.linspace(0, 1, 41)
        line = Interval(x=(0, 1))
        return {
            "balance": Constraint(line, lambda x, u, q: u.d(x, x) + q, points=80),
            "data": Constraint(PointSet(x=x, m=self.truth({"x": x})["u"]), lambda u, m: u - m, weight=100.0),
        }

    @staticmethod
    def truth(points: Mapping[str, Array]) -> Mapping[str, Array]:
        x = points["x"]
        # q = 10 Im e^{zx} with z = −1 + 3i; u = −10 Im e^{zx}/z² + a + b x
        z = -1 + 3j
        w = lambda s: -10 * (np.exp(z * s) / z**2).imag  # noqa: E731
        return {"u": w(x) - w(0.0) - (w(1.0) - w(0.0)) * x, "q": 10 * np.sin(3 * x) * np.exp(-x)}


# --- noisy data -----------------------------------------------------------------------------------------------------


class Decay(Equation):
    """u' = −k u, u(0) = 1, with thirty noisy measurements; k = 0.7."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self, seed: int, weight: float = 1.0, noise: float = 0.02) -> None:
        super().__init__()
        self.k = Unknown(0.5, truth=0.7)
        self.weight = weight
        t = np.linspace(0.1, 3, 30)
        self.measured = t, np.exp(-0.7 * t) + noise * np.random.default_rng(100 + seed).normal(size=30)

    def constraints(self):
        t, m = self.measured
        line = Interval(t=(0, 3))
        return {
            "ode": Constraint(line, lambda t, u, k: u.d(t) + k * u, points=60, weight=self.weight),
            "start": Constraint(line.face("t", 0), lambda u: u - 1, weight=self.weight),
            "data": Constraint(PointSet(t=t, m=m), lambda u, m: u - m),
        }

    def exact(self, t):
        return torch.exp(-0.7 * t)


class Oscillator(Equation):
    """u'' + c u' + k u = 0, u(0) = 1, u'(0) = 0, with sixty noisy measurements; c = 0.4 and k = 4."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self, seed: int, noise: float = 0.03) -> None:
        super().__init__()
        self.c, self.k = Unknown(0.1, truth=0.4), Unknown(3.0, truth=4.0)
        t = np.linspace(0.1, 6, 60)
        self.measured = t, self._u(t, np) + noise * np.random.default_rng(200 + seed).normal(size=60)

    @staticmethod
    def _u(t: Any, module: Any) -> Any:
        w = math.sqrt(4 - 0.04)
        return module.exp(-0.2 * t) * (module.cos(w * t) + 0.2 / w * module.sin(w * t))

    def constraints(self):
        t, m = self.measured
        line = Interval(t=(0, 6))
        return {
            "ode": Constraint(line, lambda t, u, c, k: u.d(t, t) + c * u.d(t) + k * u, points=120, weight=10.0),
            "start": Constraint(line.face("t", 0), lambda t, u: (u - 1, u.d(t)), weight=10.0),
            "data": Constraint(PointSet(t=t, m=m), lambda u, m: u - m),
        }

    def exact(self, t):
        return self._u(t, torch)


class Logistic(Equation):
    """u' = r u (1 − u/K), u(0) sought as well, with forty noisy measurements; r = 1.2, K = 2, u(0) = 0.2."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self, seed: int, noise: float = 0.03) -> None:
        super().__init__()
        self.r, self.K = Unknown(1.0, truth=1.2), Unknown(1.5, truth=2.0)
        t = np.linspace(0.0, 6, 40)
        clean = 2 / (1 + 9 * np.exp(-1.2 * t))
        self.measured = t, clean + noise * np.random.default_rng(300 + seed).normal(size=40)

    def constraints(self):
        t, m = self.measured
        return {
            "ode": Constraint(
                Interval(t=(0, 6)), lambda t, u, r, K: u.d(t) - r * u * (1 - u / K), points=80, weight=10.0
            ),
            "data": Constraint(PointSet(t=t, m=m), lambda u, m: u - m),
        }

    def exact(self, t):
        return 2 / (1 + 9 * torch.exp(-1.2 * t))


class Diffusivity(Equation):
    """u_t = D u_xx on [0, 1]², from 150 noisy measurements; D = 0.1, u = e^{−π²Dt} sin πx."""

    inputs, outputs = ("t", "x"), ("u",)

    def __init__(self, seed: int, noise: float = 0.02) -> None:
        super().__init__()
        self.D = Unknown(0.2, truth=0.1)
        draw = np.random.default_rng(400 + seed)
        t, x = draw.random(150), draw.random(150)
        self.measured = t, x, np.exp(-(np.pi**2) * 0.1 * t) * np.sin(np.pi * x) + noise * draw.normal(size=150)

    def constraints(self):
        t, x, m = self.measured
        box = Box(t=(0, 1), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u, D: u.d(t) - D * u.d(x, x), points=300),
            "start": Constraint(box.face("t", 0), lambda x, u: u - torch.sin(math.pi * x), points=40),
            "walls": Constraint(box.faces("x"), lambda u: u, points=60),
            "data": Constraint(PointSet(t=t, x=x, m=m), lambda u, m: u - m),
        }

    def exact(self, t, x):
        return torch.exp(-(math.pi**2) * 0.1 * t) * torch.sin(math.pi * x)


class BurgersViscosity(Equation):
    """u_t + u u_x = ν u_xx, ν sought from 200 measurements of the solution for ν = 0.05."""

    inputs, outputs = ("t", "x"), ("u",)

    def __init__(self, seed: int, noise: float) -> None:
        super().__init__()
        self.nu = Unknown(0.1, truth=0.05)
        draw = np.random.default_rng(500 + seed)
        t, x = draw.random(200), draw.uniform(-1, 1, 200)
        clean = ViscousBurgers(0.05).exact(torch.tensor(t), torch.tensor(x)).numpy()
        self.measured = t, x, clean + noise * draw.normal(size=200)

    def constraints(self):
        t, x, m = self.measured
        box = Box(t=(0, 1), x=(-1, 1))
        return {
            "interior": Constraint(box, lambda t, x, u, nu: u.d(t) + u * u.d(x) - nu * u.d(x, x), points=800),
            "start": Constraint(box.face("t", 0), lambda x, u: u + torch.sin(math.pi * x), points=60),
            "walls": Constraint(box.faces("x"), lambda u: u, points=60),
            "data": Constraint(PointSet(t=t, x=x, m=m), lambda u, m: u - m),
        }

    def exact(self, t, x):
        return ViscousBurgers(0.05).exact(t, x)


# --- the two lists --------------------------------------------------------------------------------------------------

_STEEP: list[Phase] = [GaussNewton(60, factorisation="cholesky")]
_FEW, _MANY = {"interior": 600, "boundary": 160}, {"interior": 2000, "initial": 1, "walls": 2}

DEVELOPMENT: dict[str, Problem] = {
    "Poisson, Adam 500": Problem(lambda s: Poisson(), phases=lambda s: [Adam(500)]),
    "Poisson, Adam 3000": Problem(lambda s: Poisson(), phases=lambda s: [Adam(3000)]),
    "Poisson, Gauss-Newton 20": Problem(lambda s: Poisson(), phases=lambda s: [GaussNewton(20)], points=_FEW),
    "Poisson, Gauss-Newton 80": Problem(lambda s: Poisson(), phases=lambda s: [GaussNewton(80)], points=_FEW),
    "Poisson, modes 3 and 2": Problem(lambda s: Poisson((3, 2)), phases=lambda s: [GaussNewton(40)], points=_FEW),
    "Burgers, ν = 0.1, Adam 500": Problem(lambda s: ViscousBurgers(0.1), phases=lambda s: [Adam(500)]),
    "Burgers, ν = 0.1, Gauss-Newton 30": Problem(lambda s: ViscousBurgers(0.1), phases=lambda s: [GaussNewton(30)]),
    "Burgers, ν = 0.02, Gauss-Newton 60": Problem(
        lambda s: ViscousBurgers(0.02, 0.1), partial(BurgersAnsatz, network=SMALL), lambda s: _STEEP, _MANY
    ),
    "Burgers, ν = 0.02, features": Problem(
        lambda s: ViscousBurgers(0.02, 0.1),
        partial(BurgersAnsatz, network=features(300, SMALL)),
        lambda s: [*_STEEP, GaussNewton(3, stage=2, damping=1e-24)],
        _MANY,
    ),
    "Burgers, ν = 0.01/π, Adam 1000": Problem(lambda s: ViscousBurgers(), phases=lambda s: [Adam(1000)]),
    "Burgers, ν = 0.01/π, Gauss-Newton 60": Problem(
        lambda s: ViscousBurgers(), phases=lambda s: _STEEP, points={"interior": 2000}
    ),
    "heat in five inputs, too few points": Problem(lambda s: Heat(), features(600), staged(10, 30, 60)),
    "Kovasznay": Problem(lambda s: Kovasznay(), features(300), staged(10, 25, 60)),
    "conductivity": Problem(
        lambda s: Conductivity(s), phases=staged(20, 50, 120), network=features(100), truth=Conductivity.truth
    ),
    "decay, noisy": Problem(lambda s: Decay(s), SMALL, lambda s: [GaussNewton(60)]),
    "decay, noisy, weight 100": Problem(lambda s: Decay(s, 100.0), SMALL, lambda s: [GaussNewton(60)]),
    "Burgers' viscosity, noisy": Problem(lambda s: BurgersViscosity(s, 0.01), phases=lambda s: [GaussNewton(60)]),
    "Burgers' viscosity": Problem(
        lambda s: BurgersViscosity(s, 0.0), phases=lambda s: [GaussNewton((15, 40, 80)[s % 3])]
    ),
}

JUDGEMENT: dict[str, Problem] = {
    "Helmholtz": Problem(lambda s: Helmholtz(), features(500), staged(30, 60, 120)),
    "vibrating beam": Problem(lambda s: Beam(), features(300), staged(10, 25, 60)),
    "Robin on a disc": Problem(lambda s: Robin(), phases=lambda s: [GaussNewton((6, 12, 30)[s % 3])]),
    "boundary layer": Problem(lambda s: Layer(), USUAL, lambda s: [GaussNewton((20, 60, 150)[s % 3])]),
    "travelling front": Problem(
        lambda s: Wave(), USUAL, lambda s: [GaussNewton((10, 25, 60)[s % 3], factorisation="cholesky")]
    ),
    "Lotka-Volterra": Problem(lambda s: LotkaVolterra(), features(150), staged(30, 80, 200), truth=LotkaVolterra.truth),
    "Lorenz, t < 1": Problem(lambda s: Lorenz(1.0), features(200), staged(40, 100, 250), truth=Lorenz.truth),
    "source from data": Problem(
        lambda s: Source(), phases=staged(10, 30, 80), network=features(100), truth=Source.truth
    ),
    "oscillator, noisy": Problem(lambda s: Oscillator(s), USUAL, lambda s: [GaussNewton(80)]),
    "logistic growth, noisy": Problem(lambda s: Logistic(s), SMALL, lambda s: [GaussNewton(80)]),
    "diffusivity, noisy": Problem(lambda s: Diffusivity(s), SMALL, lambda s: [GaussNewton(60)]),
    "Poisson, too few points": Problem(
        lambda s: Poisson((2, 2)),
        USUAL,
        lambda s: [GaussNewton((60, 100, 200)[s % 3])],
        {"interior": 60, "boundary": 40},
    ),
    "beam, too few points": Problem(
        lambda s: Beam(), features(300), staged(30, 60, 120), {"interior": 120, "start": 20, "ends": 20}
    ),
    "pendulum, t < 20, in one piece": Problem(
        lambda s: Pendulum(20.0), USUAL, lambda s: [GaussNewton((100, 200, 300)[s % 3])], truth=Pendulum.truth
    ),
    "Lorenz, t < 3, in one piece": Problem(
        lambda s: Lorenz(3.0), features(200), staged(80, 150, 250), truth=Lorenz.truth
    ),
}
