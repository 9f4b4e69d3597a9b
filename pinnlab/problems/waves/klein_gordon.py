"""The equation of Klein and Gordon with a cubic term."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class KleinGordon(Equation):
    """u_tt − u_xx + u³ = f on [0, 1], t ≤ 1, with f such that u = x cos 5πt + x³t³; the ends are given.

    The benchmark of Wang, Teng & Perdikaris (2021, section 4.2).

    Example:
        >>> import torch
        >>> KleinGordon().solution({"t": torch.tensor([1.0]), "x": torch.tensor([0.5])})["u"].value
        tensor([-0.3750])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        box = Box(t=(0.0, 1.0), x=(0.0, 1.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: (u - x, u.d(t))),
            "ends": Constraint(box.faces("x"), lambda t, x, u: u - self.exact(t, x)),
        }

    def residual(self, t: Field, x: Field, u: Field) -> Field:
        """The balance less f."""
        f = -25 * math.pi**2 * x * (5 * math.pi * t).cos() + 6 * x**3 * t - 6 * x * t**3 + self.exact(t, x) ** 3
        return u.d(t, t) - u.d(x, x) + u**3 - f

    def exact(self, t: Field, x: Field) -> Field:
        """The manufactured solution."""
        return x * (5 * math.pi * t).cos() + (x * t) ** 3
