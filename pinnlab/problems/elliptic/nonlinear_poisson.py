"""A nonlinear Poisson equation."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Field


class NonlinearPoisson(Equation):
    """−∇·((1 + u²) ∇u) = f on [0, 1]², u = 0 on the boundary, with f such that u = A sin πx sin πy, A = 1.

    Steady conduction of heat where the conductivity 1 + u² depends on the temperature u. The larger A, the more
    nonlinear it is: at the hottest place the conductivity is 1 + A². With w = u + u³/3 it is Poisson's equation for w,
    so that the solution is unique (the conductivity is that of Langtangen & Logg 2016, section 3.2).

    Example:
        >>> import torch
        >>> NonlinearPoisson(2.0).solution({"x": torch.tensor([0.5]), "y": torch.tensor([0.5])})["u"].value
        tensor([2.])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def __init__(self, amplitude: float = 1.0) -> None:
        """Sets the largest temperature A.

        Raises:
            UserError: if it is 0, for then there is no source.
        """
        super().__init__()
        if amplitude == 0:
            raise UserError("the amplitude must not be 0, for then u = 0")
        self.amplitude = amplitude

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        square = Box(x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(square, self.residual),
            "boundary": Constraint(square.boundary, lambda x, y, u: u),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """∇·((1 + u²) ∇u) + f."""
        conductivity = 1 + u * u
        return (conductivity * u.d(x)).d(x) + (conductivity * u.d(y)).d(y) + self.heating(x, y)

    def heating(self, x: Field, y: Field) -> Field:
        """The source f = −(1 + u²) Δu − 2u |∇u|² of the solution."""
        u, scale = self.exact(x, y), math.pi * self.amplitude
        along = scale * (math.pi * x).cos() * (math.pi * y).sin()
        across = scale * (math.pi * x).sin() * (math.pi * y).cos()
        return 2 * u * ((1 + u * u) * math.pi**2 - along * along - across * across)

    def exact(self, x: Field, y: Field) -> Field:
        """The product A sin πx · sin πy."""
        return self.amplitude * (math.pi * x).sin() * (math.pi * y).sin()
