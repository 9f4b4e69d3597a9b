"""Ten problems for judgement: they were not used while the default recipe was made, and are not in its table."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from experiments.tolerance.problem import Array, Columns, Problem, closed_form, disc, grid
from experiments.tolerance.references import ready
from experiments.tolerance.references.periodic import BRUSSELATOR
from pinnlab.equations import Constraint, Equation, periodic
from pinnlab.geometry import Box, Disc, Interval
from pinnlab.jets.operators import laplacian


class Duffing(Equation):
    """x'' + 0.2 x' − x + x³ = 0.3 cos 1.2t, x(0) = 1, x'(0) = 0, t ≤ 20."""

    inputs, outputs = ("t",), ("x",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the start."""
        line = Interval(t=(0, 20))
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0), lambda t, x: (x - 1, x.d(t))),
        }

    def residual(self, t, x):
        """The balance of forces."""
        return x.d(t, t) + 0.2 * x.d(t) - x + x**3 - 0.3 * torch.cos(1.2 * t)


class LotkaVolterra(Equation):
    """x' = 1.5 x − x y, y' = x y − 3 y from (10, 5), t ≤ 10."""

    inputs, outputs = ("t",), ("x", "y")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, and the start."""
        line = Interval(t=(0, 10))
        return {
            "ode": Constraint(line, lambda t, x, y: (x.d(t) - 1.5 * x + x * y, y.d(t) - x * y + 3 * y)),
            "start": Constraint(line.face("t", 0), lambda x, y: (x - 10, y - 5)),
        }


class LaneEmden(Equation):
    """r θ'' + 2 θ' + r θ³ = 0 on [0, 6], θ(0) = 1, θ'(0) = 0: Lane and Emden's equation of index 3."""

    inputs, outputs = ("r",), ("theta",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the centre."""
        line = Interval(r=(0, 6))
        return {
            "ode": Constraint(line, lambda r, theta: r * theta.d(r, r) + 2 * theta.d(r) + r * theta**3),
            "centre": Constraint(line.face("r", 0), lambda r, theta: (theta - 1, theta.d(r))),
        }


class Layer(Equation):
    """−ε u'' + u' = 1 on [0, 1], u(0) = u(1) = 0, ε = 0.05: a boundary layer at 1."""

    inputs, outputs = ("x",), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the ends."""
        line = Interval(x=(0, 1))
        return {
            "interior": Constraint(line, lambda x, u: u.d(x) - 0.05 * u.d(x, x) - 1),
            "ends": Constraint(line.boundary, lambda u: u),
        }

    def exact(self, x):
        """The line x less the layer (e^{(x−1)/ε} − e^{−1/ε}) / (1 − e^{−1/ε})."""
        far = math.exp(-1 / 0.05)
        return x - (torch.exp((x - 1) / 0.05) - far) / (1 - far)


class Fisher(Equation):
    """u_t = u_xx + u (1 − u) on [−10, 20], t ≤ 5: the front u = (1 + e^{(x − 5t/√6)/√6})^{−2}."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation; start and walls are those of the front."""
        box = Box(t=(0, 5), x=(-10, 20))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - u.d(x, x) - u * (1 - u)),
            "start": Constraint(box.face("t", 0), lambda t, x, u: u - self.exact(t, x)),
            "walls": Constraint(box.faces("x"), lambda t, x, u: u - self.exact(t, x)),
        }

    def exact(self, t, x):
        """The front of Ablowitz and Zeppetella."""
        return (1 + torch.exp((x - 5 / math.sqrt(6) * t) / math.sqrt(6))) ** -2


class KleinGordon(Equation):
    """u_tt − u_xx + u³ = f on [0, 1], t ≤ 1, with f such that u = x cos 5πt + x³t³; the ends are given."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        box = Box(t=(0, 1), x=(0, 1))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0), lambda t, x, u: (u - x, u.d(t))),
            "left": Constraint(box.face("x", 0), lambda u: u),
            "right": Constraint(box.face("x", 1), lambda t, u: u - torch.cos(5 * math.pi * t) - t**3),
        }

    def residual(self, t, x, u):
        """The balance less f."""
        f = -25 * math.pi**2 * x * torch.cos(5 * math.pi * t) + 6 * x**3 * t - 6 * x * t**3 + self.exact(t, x) ** 3
        return u.d(t, t) - u.d(x, x) + u**3 - f

    def exact(self, t, x):
        """The manufactured solution."""
        return x * torch.cos(5 * math.pi * t) + (x * t) ** 3


class HeatSquare(Equation):
    """u_t = Δu on the unit square, u = 0 on its boundary, from sin πx sin πy + ½ sin 2πx sin 3πy, t ≤ 0.1."""

    inputs, outputs = ("t", "x", "y"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the walls."""
        box = Box(t=(0, 0.1), x=(0, 1), y=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, y, u: u.d(t) - laplacian(u, x, y)),
            "start": Constraint(box.face("t", 0), lambda t, x, y, u: u - self.exact(t, x, y)),
            "walls": Constraint(box.faces("x", "y"), lambda u: u),
        }

    def exact(self, t, x, y):
        """Each mode decays by itself."""
        slow = torch.exp(-2 * math.pi**2 * t) * torch.sin(math.pi * x) * torch.sin(math.pi * y)
        fast = torch.exp(-13 * math.pi**2 * t) * torch.sin(2 * math.pi * x) * torch.sin(3 * math.pi * y)
        return slow + fast / 2


class Anisotropic(Equation):
    """∇·(A∇u) = f on the unit disc, A = (2, 1; 1, 3), u given on its rim, with f such that u = e^x sin 2y."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the rim."""
        disc = Disc((0, 0), 1.0)
        return {
            "interior": Constraint(disc, self.residual),
            "rim": Constraint(disc.boundary, lambda x, y, u: u - self.exact(x, y)),
        }

    def residual(self, x, y, u):
        """2 u_xx + 2 u_xy + 3 u_yy − f."""
        f = torch.exp(x) * (4 * torch.cos(2 * y) - 10 * torch.sin(2 * y))
        return 2 * u.d(x, x) + 2 * u.d(x, y) + 3 * u.d(y, y) - f

    def exact(self, x, y):
        """The manufactured solution."""
        return torch.exp(x) * torch.sin(2 * y)


class Breather(Equation):
    """u_tt − u_xx + sin u = 0 on [−10, 10], t ≤ 10: the breather u = 4 arctan(4 cos 0.6t / (3 cosh 0.8x))."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation; it starts at rest, and start and walls are those of the breather."""
        box = Box(t=(0, 10), x=(-10, 10))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t, t) - u.d(x, x) + torch.sin(u)),
            "start": Constraint(box.face("t", 0), lambda t, x, u: (u - self.exact(t, x), u.d(t))),
            "walls": Constraint(box.faces("x"), lambda t, x, u: u - self.exact(t, x)),
        }

    def exact(self, t, x):
        """The breather of frequency 0.6."""
        return 4 * torch.atan(4 / 3 * torch.cos(0.6 * t) / torch.cosh(0.8 * x))


class Brusselator(Equation):
    """u_t = 1 + u²v − 4u + 0.02 u_xx, v_t = 3u − u²v + 0.02 v_xx on [0, 1], periodic, t ≤ 5.

    From u = 1 + ½ sin 2πx, v = 3.
    """

    inputs, outputs = ("t", "x"), ("u", "v")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the start, and equal values and slopes at both ends."""
        box = Box(t=(0, 5), x=(0, 1))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0), lambda x, u, v: (u - 1 - torch.sin(2 * math.pi * x) / 2, v - 3)),
            "periodic": periodic(box, "x", "u", "v"),
        }

    def residual(self, t, x, u, v):
        """The derivatives less reaction and diffusion."""
        made = u * u * v
        return u.d(t) - 1 - made + 4 * u - 0.02 * u.d(x, x), v.d(t) - 3 * u + made - 0.02 * v.d(x, x)


def initial_value(
    name: str, equation: type[Equation], variable: str, end: float, system: str, *outputs: str
) -> Problem:
    """An initial value problem, judged at 20,001 places."""
    where = grid(**{variable: (0, end, 20001)})
    found = ready.ode(system, *outputs)

    def truth(points: Columns, folder: Path | None = None) -> dict[str, Array]:
        return found({"t": points[variable]}, folder)

    return Problem(name, "judgement", equation, where, truth, 1e-8, 1e-7, 60, 1e-12, closed=False)


def known(name: str, equation: type[Equation], points: ready.Points, tol: float, seconds: float) -> Problem:
    """A problem with a closed form."""
    return Problem(name, "judgement", equation, points, closed_form(equation), tol, 10 * tol, seconds)


_ALL = [
    initial_value("Duffing", Duffing, "t", 20, "duffing", "x"),
    initial_value("Lotka-Volterra", LotkaVolterra, "t", 10, "lotka_volterra", "x", "y"),
    initial_value("Lane-Emden", LaneEmden, "r", 6, "lane_emden", "theta"),
    known("boundary layer", Layer, grid(x=(0, 1, 20001)), 1e-9, 60),
    known("Fisher's front", Fisher, grid(t=(0, 5, 101), x=(-10, 20, 301)), 1e-7, 300),
    known("Klein-Gordon", KleinGordon, grid(t=(0, 1, 201), x=(0, 1, 101)), 1e-7, 300),
    known("heat on a square", HeatSquare, grid(t=(0, 0.1, 41), x=(0, 1, 31), y=(0, 1, 31)), 1e-7, 180),
    known("anisotropic diffusion", Anisotropic, disc(), 1e-9, 90),
    known("breather", Breather, grid(t=(0, 10, 201), x=(-10, 10, 201)), 1e-6, 300),
    Problem(
        "Brusselator",
        "judgement",
        Brusselator,
        grid(t=(0, 5, 201), x=(0, 1, 101)),
        ready.periodic(BRUSSELATOR, "u", "v"),
        1e-6,
        1e-5,
        300,
        1e-11,
        closed=False,
    ),
]

JUDGEMENT: dict[str, Problem] = {problem.name: problem for problem in _ALL}
"""The problems by name."""
