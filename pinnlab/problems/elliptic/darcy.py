"""Flow through porous ground."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Darcy(Equation):
    """−∇·(a ∇u) = f on [0, 1]², u = 0 on the boundary, a = e^{sin 2πx sin 2πy}, f such that u = sin πx sin πy.

    Darcy's law: water flows with −a ∇u, where u is the pressure and a the permeability of the ground, and f is what
    wells add. More generally ln a = k sin 2πx sin 2πy, so that a varies by a factor of e^{2k}; where it is large, so
    is the residual. As in most of the literature a is known here; to find it from u is another problem.

    Example:
        >>> import torch
        >>> Darcy().solution({"x": torch.tensor([0.5]), "y": torch.tensor([0.5])})["u"].value
        tensor([1.])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def __init__(self, k: float = 1.0) -> None:
        """Sets k, the largest logarithm of the permeability; 0 is Poisson's equation."""
        super().__init__()
        self.k = k

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        square = Box(x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(square, self.residual),
            "boundary": Constraint(square.boundary, lambda x, y, u: u),
        }

    def permeability(self, x: Field, y: Field) -> Field:
        """The coefficient a."""
        return (self.k * (2 * math.pi * x).sin() * (2 * math.pi * y).sin()).exp()

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """∇·(a ∇u) + f."""
        a = self.permeability(x, y)
        return (a * u.d(x)).d(x) + (a * u.d(y)).d(y) + self.wells(x, y)

    def wells(self, x: Field, y: Field) -> Field:
        """The source f = a (2π² u − (ln a)_x u_x − (ln a)_y u_y) of the solution."""
        pi = math.pi
        along = 2 * (2 * pi * x).cos() * (2 * pi * y).sin() * (pi * x).cos() * (pi * y).sin()
        across = 2 * (2 * pi * x).sin() * (2 * pi * y).cos() * (pi * x).sin() * (pi * y).cos()
        return pi**2 * self.permeability(x, y) * (2 * self.exact(x, y) - self.k * (along + across))

    def exact(self, x: Field, y: Field) -> Field:
        """The product sin πx · sin πy."""
        return (math.pi * x).sin() * (math.pi * y).sin()
