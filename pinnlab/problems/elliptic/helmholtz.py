"""Helmholtz' equation."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class Helmholtz(Equation):
    """Δu + k² u = q on [−1, 1]², u = 0 on the boundary, with q such that u = sin aπx · sin bπy.

    The field's benchmark has k = 1 and (a, b) = (1, 4) (Wang, Teng & Perdikaris 2021, section 4.1).

    Example:
        >>> import torch
        >>> Helmholtz().solution({"x": torch.tensor([0.5]), "y": torch.tensor([0.125])})["u"].value
        tensor([1.])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def __init__(self, k: float = 1.0, modes: tuple[int, int] = (1, 4)) -> None:
        """Sets the wave number k of the equation and the modes (a, b) of its solution."""
        super().__init__()
        self.k = k
        self.modes = modes

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        square = Box(x=(-1.0, 1.0), y=(-1.0, 1.0))
        return {
            "interior": Constraint(square, self.residual),
            "boundary": Constraint(square.boundary, lambda x, y, u: u),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """Δu + k² u − q."""
        a, b = self.modes
        q = (self.k**2 - math.pi**2 * (a * a + b * b)) * self.exact(x, y)
        return laplacian(u, x, y) + self.k**2 * u - q

    def exact(self, x: Field, y: Field) -> Field:
        """The product sin aπx · sin bπy."""
        a, b = self.modes
        return (a * math.pi * x).sin() * (b * math.pi * y).sin()
