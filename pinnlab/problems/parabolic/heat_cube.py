"""Heat conduction in a cube."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class HeatCube(Equation):
    """u_t = Δu on the unit cube, u = 0 on its boundary, from sin πx sin πy sin πz, t ≤ 0.1: four inputs.

    The solution u = e^{−3π²t} sin πx sin πy sin πz is simple; what is hard is the number of inputs, since points and
    features that fill a region grow in number with each of them.

    Example:
        >>> import torch
        >>> middle = {name: torch.tensor([0.5]) for name in "xyz"}
        >>> HeatCube().solution({"t": torch.tensor([0.0]), **middle})["u"].value
        tensor([1.])
    """

    inputs = ("t", "x", "y", "z")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the walls."""
        box = Box(t=(0.0, 0.1), x=(0.0, 1.0), y=(0.0, 1.0), z=(0.0, 1.0))
        return {
            "interior": Constraint(box, lambda t, x, y, z, u: u.d(t) - laplacian(u, x, y, z)),
            "start": Constraint(box.face("t", 0.0), lambda t, x, y, z, u: u - self.exact(t, x, y, z)),
            "walls": Constraint(box.faces("x", "y", "z"), lambda t, x, y, z, u: u),
        }

    def exact(self, t: Field, x: Field, y: Field, z: Field) -> Field:
        """The decaying mode."""
        return (-3 * math.pi**2 * t).exp() * (math.pi * x).sin() * (math.pi * y).sin() * (math.pi * z).sin()
