"""Anisotropic diffusion."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Disc
from pinnlab.jets import Field


class AnisotropicDiffusion(Equation):
    """∇·(A∇u) = f on the unit disc, A = (2, 1; 1, 3), u given on its rim, with f such that u = e^x sin 2y.

    A is the conductivity of a material that conducts best along a direction which is no axis.

    Example:
        >>> import torch
        >>> AnisotropicDiffusion().solution({"x": torch.tensor([0.0]), "y": torch.tensor([0.5])})["u"].value
        tensor([0.8415])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the rim."""
        disc = Disc((0.0, 0.0), 1.0)
        return {
            "interior": Constraint(disc, self.residual),
            "rim": Constraint(disc.boundary, lambda x, y, u: u - self.exact(x, y)),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """2 u_xx + 2 u_xy + 3 u_yy − f."""
        f = x.exp() * (4 * (2 * y).cos() - 10 * (2 * y).sin())
        return 2 * u.d(x, x) + 2 * u.d(x, y) + 3 * u.d(y, y) - f

    def exact(self, x: Field, y: Field) -> Field:
        """The manufactured solution."""
        return x.exp() * (2 * y).sin()
