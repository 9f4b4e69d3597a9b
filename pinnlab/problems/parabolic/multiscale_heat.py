"""Heat conduction with a short wave."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class MultiscaleHeat(Equation):
    """u_t = u_xx/(500π)² + u_yy/π² on the unit square, u = 0 on its boundary, from sin 20πx sin πy, t ≤ 5.

    Heat spreads along y and hardly along x, where the start has ten waves: u = e^{−t (1 + 0.04²)} sin 20πx sin πy. A
    network learns long waves first, and a wrong u with a long wave costs little here. H2d-MS of PINNacle (Hao et al.
    2023, arXiv 2306.08827).

    Example:
        >>> import torch
        >>> points = {"t": torch.tensor([0.0]), "x": torch.tensor([0.025]), "y": torch.tensor([0.5])}
        >>> MultiscaleHeat().solution(points)["u"].value
        tensor([1.])
    """

    inputs = ("t", "x", "y")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the walls."""
        box = Box(t=(0.0, 5.0), x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), lambda t, x, y, u: u - self.exact(t, x, y)),
            "walls": Constraint(box.faces("x", "y"), lambda t, x, y, u: u),
        }

    def residual(self, t: Field, x: Field, y: Field, u: Field) -> Field:
        """The balance of heat."""
        return u.d(t) - u.d(x, x) / (500 * math.pi) ** 2 - u.d(y, y) / math.pi**2

    def exact(self, t: Field, x: Field, y: Field) -> Field:
        """The decaying mode."""
        return (-(1 + 0.04**2) * t).exp() * (20 * math.pi * x).sin() * (math.pi * y).sin()
