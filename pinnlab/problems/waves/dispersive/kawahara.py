"""Kawahara's equation."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Kawahara(Equation):
    """u_t + u u_x + u_xxx − u_xxxxx = 0 on [−20, 20], t ≤ 10: the solitary wave of speed 36/169.

    Long waves of small amplitude whose dispersion of third order is weak, so that one of fifth order counts, as under
    ice or near a critical surface tension (Kawahara 1972). One solitary wave is known in closed form,

        u = (105/169) sech⁴((x − 36t/169) / 2√13).

    The start is given by it, and so are u and u_x at both ends and u_xx at the right one, as many conditions as an
    equation of fifth order takes.

    Example:
        >>> import torch
        >>> Kawahara().solution({"t": torch.tensor([0.0]), "x": torch.tensor([0.0])})["u"].value * 169
        tensor([105.])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, values and slopes at the ends, and the bend at the right end."""
        box = Box(t=(0.0, 10.0), x=(-20.0, 20.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: u - self.exact(t, x)),
            "ends": Constraint(box.faces("x"), self.ends),
            "bend": Constraint(box.face("x", 20.0), lambda t, x, u: u.d(x, x) - self.exact(t, x).d(x, x)),
        }

    def residual(self, t: Field, x: Field, u: Field) -> Field:
        """The balance u_t + u u_x + u_xxx − u_xxxxx."""
        return u.d(t) + u * u.d(x) + u.d(x, x, x) - u.d(x, x, x, x, x)

    def ends(self, t: Field, x: Field, u: Field) -> tuple[Field, ...]:
        """The differences from the given values and slopes."""
        given = self.exact(t, x)
        return u - given, u.d(x) - given.d(x)

    def exact(self, t: Field, x: Field) -> Field:
        """The solitary wave."""
        return 105 / 169 * ((x - 36 / 169 * t) / (2 * math.sqrt(13))).cosh() ** -4
