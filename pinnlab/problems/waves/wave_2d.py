"""The vibration of a membrane."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class Wave2D(Equation):
    """u_tt = Δu on the unit square, u = 0 on its boundary, from sin πx sin πy + ½ sin 2πx sin 3πy at rest, t ≤ 1.

    A square drum. Each mode swings at its own frequency, u = sin πx sin πy cos √2πt + ½ sin 2πx sin 3πy cos √13πt, and
    their ratio is irrational, so that the motion never repeats (Courant & Hilbert 1953, chapter V).

    Example:
        >>> import torch
        >>> points = {"t": torch.tensor([0.0]), "x": torch.tensor([0.25]), "y": torch.tensor([0.5])}
        >>> Wave2D().solution(points)["u"].value
        tensor([0.2071])
    """

    inputs = ("t", "x", "y")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start at rest and the walls."""
        box = Box(t=(0.0, 1.0), x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(box, lambda t, x, y, u: u.d(t, t) - laplacian(u, x, y)),
            "start": Constraint(box.face("t", 0.0), self.start),
            "walls": Constraint(box.faces("x", "y"), lambda t, x, y, u: u),
        }

    def start(self, t: Field, x: Field, y: Field, u: Field) -> tuple[Field, ...]:
        """The differences of value and velocity."""
        first = (math.pi * x).sin() * (math.pi * y).sin()
        return u - first - (2 * math.pi * x).sin() * (3 * math.pi * y).sin() / 2, u.d(t)

    def exact(self, t: Field, x: Field, y: Field) -> Field:
        """The two standing waves."""
        slow = (math.pi * x).sin() * (math.pi * y).sin() * (math.sqrt(2) * math.pi * t).cos()
        fast = (2 * math.pi * x).sin() * (3 * math.pi * y).sin() * (math.sqrt(13) * math.pi * t).cos()
        return slow + fast / 2
