"""Poisson's equation in a ball."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Ball
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class PoissonBall(Equation):
    """−Δu = (5 + r² + 4x) eˣ in the unit ball of R³, u = 0 on its surface: u = (1 − r²) eˣ.

    The steady temperature of a ball that is heated from inside, more on the right, and kept cool at its surface; in
    units of the source times the radius squared over the conductivity. The region is round in space, so that no box of
    points fits it. The source is what −Δ makes of the solution: Δ((1 − r²) eˣ) = (1 − r² − 4x − 6) eˣ.

    Example:
        >>> import torch
        >>> PoissonBall().solution({name: torch.tensor([0.0]) for name in "xyz"})["u"].value
        tensor([1.])
    """

    inputs = ("x", "y", "z")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the surface."""
        ball = Ball()
        return {
            "interior": Constraint(ball, self.residual),
            "surface": Constraint(ball.boundary, lambda x, y, z, u: u),
        }

    def residual(self, x: Field, y: Field, z: Field, u: Field) -> Field:
        """Δu + (5 + r² + 4x) eˣ."""
        return laplacian(u, x, y, z) + (5 + x * x + y * y + z * z + 4 * x) * x.exp()

    def exact(self, x: Field, y: Field, z: Field) -> Field:
        """The product (1 − r²) eˣ."""
        return (1 - x * x - y * y - z * z) * x.exp()
