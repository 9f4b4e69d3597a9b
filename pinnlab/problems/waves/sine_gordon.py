"""The sine-Gordon equation."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Field


class SineGordon(Equation):
    """u_tt − u_xx + sin u = 0 on [−10, 10], t ≤ 10: the breather u = 4 arctan(√(1 − ω²) cos ωt / (ω cosh √(1 − ω²) x)).

    A bound pair of a kink and an antikink, of frequency ω < 1. It starts at rest; start and walls are given by it
    (Ablowitz, Kaup, Newell & Segur 1973).

    Example:
        >>> import torch
        >>> SineGordon().solution({"t": torch.tensor([0.0]), "x": torch.tensor([0.0])})["u"].value
        tensor([3.7092])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def __init__(self, omega: float = 0.6) -> None:
        """Sets ω.

        Raises:
            UserError: if it is not between 0 and 1.
        """
        super().__init__()
        if not 0 < omega < 1:
            raise UserError(f"omega must be between 0 and 1, got {omega}")
        self.omega = omega

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start at rest and the walls."""
        box = Box(t=(0.0, 10.0), x=(-10.0, 10.0))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t, t) - u.d(x, x) + u.sin()),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: (u - self.exact(t, x), u.d(t))),
            "walls": Constraint(box.faces("x"), lambda t, x, u: u - self.exact(t, x)),
        }

    def exact(self, t: Field, x: Field) -> Field:
        """The breather."""
        width = math.sqrt(1 - self.omega**2)
        return 4 * (width / self.omega * (self.omega * t).cos() / (width * x).cosh()).atan()
