"""Initial value problems of ordinary differential equations."""

from __future__ import annotations

import torch

from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval


class Lorenz(Equation):
    """Lorenz' equations x' = 10 (y − x), y' = x (28 − z) − y, z' = x y − 8/3 z from (1, 1, 1), t ≤ 3."""

    inputs, outputs = ("t",), ("x", "y", "z")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, and the start."""
        line = Interval(t=(0, 3))
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0), lambda x, y, z: (x - 1, y - 1, z - 1)),
        }

    def residual(self, t, x, y, z):
        """The derivatives less the right-hand sides."""
        return x.d(t) - 10 * (y - x), y.d(t) - x * (28 - z) + y, z.d(t) - x * y + 8 / 3 * z


class Pendulum(Equation):
    """θ'' = −sin θ, θ(0) = 2, θ'(0) = 0, t ≤ 20."""

    inputs, outputs = ("t",), ("theta",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the start."""
        line = Interval(t=(0, 20))
        return {
            "ode": Constraint(line, lambda t, theta: theta.d(t, t) + torch.sin(theta)),
            "start": Constraint(line.face("t", 0), lambda t, theta: (theta - 2, theta.d(t))),
        }


class VanDerPol(Equation):
    """u'' − 5 (1 − u²) u' + u = 0, u(0) = 2, u'(0) = 0, t ≤ 10: Van der Pol's oscillator with μ = 5."""

    inputs, outputs = ("t",), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the start."""
        line = Interval(t=(0, 10))
        return {
            "ode": Constraint(line, lambda t, u: u.d(t, t) - 5 * (1 - u * u) * u.d(t) + u),
            "start": Constraint(line.face("t", 0), lambda t, u: (u - 2, u.d(t))),
        }


class Robertson(Equation):
    """Robertson's kinetics from (1, 0, 0), t ≤ 100.

    a' = −0.04 a + 1e4 b c, b' = 0.04 a − 1e4 b c − 3e7 b², c' = 3e7 b².
    """

    inputs, outputs = ("t",), ("a", "b", "c")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, and the start."""
        line = Interval(t=(0, 100))
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0), lambda a, b, c: (a - 1, b, c)),
        }

    def residual(self, t, a, b, c):
        """The derivatives less the rates."""
        slow, back, fast = 0.04 * a, 1e4 * b * c, 3e7 * b * b
        return a.d(t) + slow - back, b.d(t) - slow + back + fast, c.d(t) - fast
