"""Poisson's equation with several scales."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class MultiscalePoisson(Equation):
    """−Δu = f on [0, 1]², u = 0 on the boundary, with f such that u is the mean of sin wπx · sin wπy, w = 4, 8, 12, 16.

    The waves with w = 16 have an eighth of the length 1, and f has 16 times as much of them as of those with w = 4. A
    network learns the long waves first, although f is large where the short ones are, and the interior is resolved by
    many points alone (a benchmark of arXiv 2607.02194).

    Example:
        >>> import torch
        >>> MultiscalePoisson().solution({"x": torch.tensor([0.1]), "y": torch.tensor([0.1])})["u"].value
        tensor([0.6250])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def __init__(self, waves: tuple[int, ...] = (4, 8, 12, 16)) -> None:
        """Sets the numbers w of half waves along each side.

        Raises:
            UserError: if there are none, or one is not a positive whole number.
        """
        super().__init__()
        if not waves or any(w != int(w) or w < 1 for w in waves):
            raise UserError(f"waves must be positive whole numbers, got {waves}")
        self.waves = waves

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        square = Box(x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(square, self.residual),
            "boundary": Constraint(square.boundary, lambda x, y, u: u),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """Δu + f, in which each wave has 2 π² w² times its part of u."""
        f = self.sum(x, y, {w: 2 * (math.pi * w) ** 2 / len(self.waves) for w in self.waves})
        return laplacian(u, x, y) + f

    def exact(self, x: Field, y: Field) -> Field:
        """The mean of the waves."""
        return self.sum(x, y, dict.fromkeys(self.waves, 1 / len(self.waves)))

    def sum(self, x: Field, y: Field, factors: dict[int, float]) -> Field:
        """The waves sin wπx · sin wπy with a factor for each w."""
        total = 0 * x
        for w, factor in factors.items():
            total = total + factor * (w * math.pi * x).sin() * (w * math.pi * y).sin()
        return total
