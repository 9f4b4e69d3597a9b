"""Advection."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.periodic import periodic
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Advection(Equation):
    """u_t + β u_x = 0 on [0, 2π], periodic, from sin x, t ≤ 1: u = sin(x − βt).

    For β = 80 the wave passes any place thirteen times, and a network that is trained in one piece ends at u = 0
    (Krishnapriyan et al. 2021).

    Example:
        >>> import torch
        >>> Advection().solution({"t": torch.tensor([0.0]), "x": torch.tensor([torch.pi / 2])})["u"].value
        tensor([1.])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def __init__(self, beta: float = 80.0) -> None:
        """Sets the velocity β."""
        super().__init__()
        self.beta = beta

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and equal values at both ends."""
        box = Box(t=(0.0, 1.0), x=(0.0, 2 * math.pi))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) + self.beta * u.d(x)),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: u - x.sin()),
            "periodic": periodic(box, "x", "u", order=0),
        }

    def exact(self, t: Field, x: Field) -> Field:
        """The start, moved."""
        return (x - self.beta * t).sin()
