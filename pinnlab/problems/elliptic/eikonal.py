"""The eikonal equation with viscosity."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Eikonal(Equation):
    """u_x² + u_y² − ε Δu = 1 on [0, 1]², u given on the boundary: the times of arrival of two plane waves, ε = 0.1.

    Waves of speed 1 begin at the sides x = 0 and y = 0, and u is the time when the first of them comes. For ε = 0 that
    is min(x, y), which has a ridge on the diagonal, and many other functions satisfy |∇u| = 1 almost everywhere. The
    term ε Δu makes the ridge as wide as ε, and for ε → 0 selects the time of the first arrival (Crandall & Lions 1983).
    With u = −ε ln v it is the linear equation ε² Δv = v, and v = ½ (e^{−x/ε} + e^{−y/ε}) gives the solution
    u = ½ (x + y) − ε ln cosh((x − y) / 2ε). The smaller ε, the thinner the ridge, which runs along no coordinate.

    Example:
        >>> import torch
        >>> Eikonal().solution({"x": torch.tensor([0.5, 0.5]), "y": torch.tensor([0.5, 1.0])})["u"].value
        tensor([0.5000, 0.5686])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def __init__(self, epsilon: float = 0.1) -> None:
        """Sets ε.

        Raises:
            UserError: if it is less than 0.002, where e^{1/ε} is near the largest number, or negative.
        """
        super().__init__()
        if not epsilon >= 0.002:
            raise UserError(f"epsilon must be 0.002 or more, got {epsilon}")
        self.epsilon = epsilon

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        square = Box(x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(square, self.residual),
            "boundary": Constraint(square.boundary, lambda x, y, u: u - self.exact(x, y)),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """The square of the slope less ε Δu and 1."""
        across, up = u.d(x), u.d(y)
        return across * across + up * up - self.epsilon * (across.d(x) + up.d(y)) - 1

    def exact(self, x: Field, y: Field) -> Field:
        """The smooth minimum of x and y."""
        return (x + y) / 2 - self.epsilon * ((x - y) / (2 * self.epsilon)).cosh().log()
