"""The vibration of a string."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Wave(Equation):
    """u_tt = 4 u_xx on [0, 1], u = 0 at the ends, from sin πx + ½ sin 4πx at rest, t ≤ 1.

    The field's benchmark of two standing waves, u = sin πx cos 2πt + ½ sin 4πx cos 8πt (Wang, Yu & Perdikaris 2022,
    section 7.2).

    Example:
        >>> import torch
        >>> Wave().solution({"t": torch.tensor([0.5]), "x": torch.tensor([0.125])})["u"].value
        tensor([0.1173])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        box = Box(t=(0.0, 1.0), x=(0.0, 1.0))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t, t) - 4 * u.d(x, x)),
            "start": Constraint(box.face("t", 0.0), self.start),
            "ends": Constraint(box.faces("x"), lambda t, x, u: u),
        }

    def start(self, t: Field, x: Field, u: Field) -> tuple[Field, ...]:
        """The differences of value and velocity."""
        return u - (math.pi * x).sin() - (4 * math.pi * x).sin() / 2, u.d(t)

    def exact(self, t: Field, x: Field) -> Field:
        """The two standing waves."""
        first = (math.pi * x).sin() * (2 * math.pi * t).cos()
        return first + (4 * math.pi * x).sin() * (8 * math.pi * t).cos() / 2
