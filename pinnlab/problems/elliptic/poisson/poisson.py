"""Poisson's equation on the unit square."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Poisson(Equation):
    """−Δu = f on [0, 1]², u = 0 on the boundary, with f such that u = sin aπx · sin bπy.

    Example:
        >>> import torch
        >>> centre = {"x": torch.tensor([0.5]), "y": torch.tensor([0.5])}
        >>> Poisson(modes=(1, 3)).solution(centre)["u"].value
        tensor([-1.])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def __init__(self, modes: tuple[int, int] = (1, 1)) -> None:
        """Sets the wave numbers (a, b)."""
        super().__init__()
        self.modes = modes

    def constraints(self) -> dict[str, Constraint]:
        """The equation inside, and zero on the boundary."""
        square = Box(x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(square, self.residual, points=400),
            "boundary": Constraint(square.faces("x", "y"), lambda x, y, u: u, points=80, weight=100.0),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """Δu + f."""
        a, b = self.modes
        return u.d(x, x) + u.d(y, y) + math.pi**2 * (a * a + b * b) * self.exact(x, y)

    def exact(self, x: Field, y: Field) -> Field:
        """The product sin aπx · sin bπy."""
        a, b = self.modes
        return (a * math.pi * x).sin() * (b * math.pi * y).sin()
