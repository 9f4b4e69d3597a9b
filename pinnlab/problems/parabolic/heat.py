"""Heat conduction in a rod."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Heat(Equation):
    """u_t = u_xx on [0, 1], u = 0 at the ends, from sin πx + ½ sin 3πx, t ≤ ½.

    Each mode decays by itself, u = e^{−π²t} sin πx + ½ e^{−9π²t} sin 3πx (Fourier 1822).

    Example:
        >>> import torch
        >>> Heat().solution({"t": torch.tensor([0.0, 0.5]), "x": torch.tensor([0.5, 0.5])})["u"].value
        tensor([0.5000, 0.0072])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        box = Box(t=(0.0, 0.5), x=(0.0, 1.0))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - u.d(x, x)),
            "start": Constraint(box.face("t", 0.0), self.start),
            "ends": Constraint(box.faces("x"), lambda t, x, u: u),
        }

    def start(self, t: Field, x: Field, u: Field) -> Field:
        """The difference from the temperature at the start."""
        return u - (math.pi * x).sin() - (3 * math.pi * x).sin() / 2

    def exact(self, t: Field, x: Field) -> Field:
        """The two decaying modes."""
        slow = (-(math.pi**2) * t).exp() * (math.pi * x).sin()
        return slow + (-9 * math.pi**2 * t).exp() * (3 * math.pi * x).sin() / 2
