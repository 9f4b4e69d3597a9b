"""Poisson's equation on a disc."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Disc
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class PoissonDisc(Equation):
    """−Δu = 1 + x on the disc x² + y² ≤ R², u = 0 on its rim: a round membrane under a load, R = 1.

    u is the deflection of a membrane that is held at its rim, in units of the load's scale over the tension. The load
    is heavier on the right, so that the largest deflection is there too. The solution is the polynomial
    u = (R² − x² − y²) (2 + x) / 8.

    Example:
        >>> import torch
        >>> PoissonDisc().solution({"x": torch.tensor([0.0]), "y": torch.tensor([0.0])})["u"].value
        tensor([0.2500])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def __init__(self, radius: float = 1.0) -> None:
        """Sets the radius R.

        Raises:
            UserError: if it is not positive.
        """
        super().__init__()
        if not radius > 0:
            raise UserError(f"the radius must be positive, got {radius}")
        self.radius = radius

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the rim."""
        disc = Disc((0.0, 0.0), self.radius)
        return {
            "interior": Constraint(disc, lambda x, y, u: laplacian(u, x, y) + 1 + x),
            "rim": Constraint(disc.boundary, lambda x, y, u: u),
        }

    def exact(self, x: Field, y: Field) -> Field:
        """The polynomial (R² − x² − y²) (2 + x) / 8."""
        return (self.radius**2 - x * x - y * y) * (2 + x) / 8
