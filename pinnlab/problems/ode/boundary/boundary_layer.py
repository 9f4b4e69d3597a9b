"""A boundary layer of convection and diffusion."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field


class BoundaryLayer(Equation):
    """u' − ε u'' = 1 on [0, 1], u(0) = u(1) = 0: convection, with a layer of width ε at x = 1.

    For ε → 0 the solution is x but for the layer (Roos, Stynes & Tobiska 2008, section I.1).

    Example:
        >>> import torch
        >>> BoundaryLayer().solution({"x": torch.tensor([0.5, 0.95, 1.0])})["u"].value
        tensor([0.5000, 0.5821, 0.0000])
    """

    inputs = ("x",)
    outputs = ("u",)

    def __init__(self, epsilon: float = 0.05) -> None:
        """Sets ε.

        Raises:
            UserError: if ε is not positive.
        """
        super().__init__()
        if epsilon <= 0:
            raise UserError(f"epsilon must be positive, got {epsilon}")
        self.epsilon = epsilon

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the ends."""
        line = Interval(x=(0.0, 1.0))
        return {
            "interior": Constraint(line, self.residual),
            "ends": Constraint(line.boundary, lambda x, u: u),
        }

    def residual(self, x: Field, u: Field) -> Field:
        """The balance u' − ε u'' − 1."""
        return u.d(x) - self.epsilon * u.d(x, x) - 1

    def exact(self, x: Field) -> Field:
        """The line x less the layer (e^{(x−1)/ε} − e^{−1/ε}) / (1 − e^{−1/ε})."""
        far = math.exp(-1 / self.epsilon)
        return x - (((x - 1) / self.epsilon).exp() - far) / (1 - far)
