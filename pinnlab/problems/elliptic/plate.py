"""The bending of a plate."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.jets.operators import biharmonic


class Plate(Equation):
    """Δ²u = 4π⁴ sin πx sin πy on the unit square, simply supported (u = ∂²u/∂n² = 0): u = sin πx sin πy.

    Kirchhoff's plate with the load q/D on the right-hand side (Timoshenko & Woinowsky-Krieger 1959, section 27).

    Example:
        >>> import torch
        >>> Plate().solution({"x": torch.tensor([0.5]), "y": torch.tensor([0.5])})["u"].value
        tensor([1.])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the supports."""
        square = Box(x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(square, self.residual),
            "sides": Constraint(square.faces("x"), lambda x, y, u: (u, u.d(x, x))),
            "ends": Constraint(square.faces("y"), lambda x, y, u: (u, u.d(y, y))),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """Δ²u less the load."""
        return biharmonic(u, x, y) - 4 * math.pi**4 * self.exact(x, y)

    def exact(self, x: Field, y: Field) -> Field:
        """The product sin πx sin πy."""
        return (math.pi * x).sin() * (math.pi * y).sin()
