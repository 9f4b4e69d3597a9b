"""Heat conduction in a ball."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Ball, Interval
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class HeatBall(Equation):
    """u_t = Δu in the unit ball of R³, u = 0 on its surface, from sin πr / r, t ≤ 0.1: a ball that cools in a bath.

    Temperature in units of what the middle starts with over π, lengths of the radius R, times of R² over the
    diffusivity: a steel ball of radius 1 cm cools to a third in about a second. What is hard is the round surface in
    space. The solution u = e^{−π²t} sin πr / r is the slowest of the modes (Carslaw & Jaeger 1959, section 9.3).

    Example:
        >>> import torch
        >>> points = {name: torch.tensor([value]) for name, value in {"t": 0.0, "x": 0.5, "y": 0.0, "z": 0.0}.items()}
        >>> HeatBall().solution(points)["u"].value
        tensor([2.])
    """

    inputs = ("t", "x", "y", "z")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the surface."""
        ball, time = Ball(), Interval(t=(0.0, 0.1))
        inside = time * ball
        return {
            "interior": Constraint(inside, lambda t, x, y, z, u: u.d(t) - laplacian(u, x, y, z)),
            "start": Constraint(inside.face("t", 0.0), lambda t, x, y, z, u: u - self.exact(t, x, y, z)),
            "surface": Constraint(time * ball.boundary, lambda t, x, y, z, u: u),
        }

    def exact(self, t: Field, x: Field, y: Field, z: Field) -> Field:
        """The slowest mode; sin πr / r is the series Σ (−1)^k π^{2k+1} r^{2k} / (2k + 1)!, smooth in the middle."""
        square = x * x + y * y + z * z
        series = 0.0 * square
        for k in reversed(range(16)):
            series = series * square + (-1) ** k * math.pi ** (2 * k + 1) / math.factorial(2 * k + 1)
        return (-(math.pi**2) * t).exp() * series
