"""The vibration of a beam."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Beam(Equation):
    """u_tt + u_xxxx = 0 on [0, 1], simply supported (u = u_xx = 0), from sin πx at rest, t ≤ 1.

    Euler and Bernoulli's beam; its first mode is u = sin πx cos π²t (Timoshenko, Young & Weaver 1974, section 5.10).

    Example:
        >>> import torch
        >>> Beam().solution({"t": torch.tensor([1 / torch.pi]), "x": torch.tensor([0.5])})["u"].value
        tensor([-1.])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the supports."""
        box = Box(t=(0.0, 1.0), x=(0.0, 1.0))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t, t) + u.d(x, x, x, x)),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: (u - (math.pi * x).sin(), u.d(t))),
            "supports": Constraint(box.faces("x"), lambda t, x, u: (u, u.d(x, x))),
        }

    def exact(self, t: Field, x: Field) -> Field:
        """The standing wave sin πx cos π²t."""
        return (math.pi * x).sin() * (math.pi**2 * t).cos()
