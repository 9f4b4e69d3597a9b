"""A front of reaction and diffusion."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Fisher(Equation):
    """u_t = u_xx + u (1 − u) on [−10, 20], t ≤ 5: the front u = (1 + e^{(x − ct)/√6})^{−2} with c = 5/√6.

    The equation of Fisher and of Kolmogorov, Petrovsky & Piskunov (1937): an advantageous gene spreads; the front in
    closed form is that of Ablowitz & Zeppetella (1979). Start and walls are given by it.

    Example:
        >>> import torch
        >>> Fisher().solution({"t": torch.tensor([0.0, 5.0]), "x": torch.tensor([0.0, 0.0])})["u"].value
        tensor([0.2500, 0.9697])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the walls."""
        box = Box(t=(0.0, 5.0), x=(-10.0, 20.0))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - u.d(x, x) - u * (1 - u)),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: u - self.exact(t, x)),
            "walls": Constraint(box.faces("x"), lambda t, x, u: u - self.exact(t, x)),
        }

    def exact(self, t: Field, x: Field) -> Field:
        """The front."""
        return (1 + ((x - 5 / math.sqrt(6) * t) / math.sqrt(6)).exp()) ** -2
