"""Heat conduction in a square."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class HeatSquare(Equation):
    """u_t = Δu on the unit square, u = 0 on its boundary, from sin πx sin πy + ½ sin 2πx sin 3πy, t ≤ 0.1.

    Example:
        >>> import torch
        >>> points = {"t": torch.tensor([0.0]), "x": torch.tensor([0.25]), "y": torch.tensor([0.5])}
        >>> HeatSquare().solution(points)["u"].value
        tensor([0.2071])
    """

    inputs = ("t", "x", "y")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the walls."""
        box = Box(t=(0.0, 0.1), x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(box, lambda t, x, y, u: u.d(t) - laplacian(u, x, y)),
            "start": Constraint(box.face("t", 0.0), lambda t, x, y, u: u - self.exact(t, x, y)),
            "walls": Constraint(box.faces("x", "y"), lambda t, x, y, u: u),
        }

    def exact(self, t: Field, x: Field, y: Field) -> Field:
        """Each mode decays by itself."""
        slow = (-2 * math.pi**2 * t).exp() * (math.pi * x).sin() * (math.pi * y).sin()
        fast = (-13 * math.pi**2 * t).exp() * (2 * math.pi * x).sin() * (3 * math.pi * y).sin()
        return slow + fast / 2
