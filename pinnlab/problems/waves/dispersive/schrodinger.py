"""Schrödinger's equation with a cubic term."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Schrodinger(Equation):
    """i h_t + ½ h_xx + |h|² h = 0, h = u + iv, on [−5, 5] from 2 sech x, t ≤ π/2: a bound pair of solitons.

    The envelope of a pulse in an optical fibre. The pulse of twice a soliton's height contracts to a peak of height 4
    at t = π/4 and spreads again, with |h| of period π/2:

        h = 4 e^{it/2} (cosh 3x + 3 e^{4it} cosh x) / (cosh 4x + 4 cosh 2x + 3 cos 4t)

    (Satsuma & Yajima 1974). Start and ends are given by it. The benchmark of Raissi, Perdikaris & Karniadakis (2019,
    section 3.1.1) has periodic ends in their place; there the start has a kink at x = ±5, which spreads at once
    everywhere, so that no classical solution exists.

    Example:
        >>> import torch
        >>> peak = Schrodinger().solution({"t": torch.tensor([torch.pi / 4]), "x": torch.tensor([0.0])})
        >>> round(float(peak["u"].value ** 2 + peak["v"].value ** 2), 4)
        16.0
    """

    inputs = ("t", "x")
    outputs = ("u", "v")

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        box = Box(t=(0.0, math.pi / 2), x=(-5.0, 5.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u, v: (u - 2 / x.cosh(), v)),
            "ends": Constraint(box.faces("x"), self.ends),
        }

    def residual(self, t: Field, x: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """Real and imaginary part."""
        power = u * u + v * v
        return -v.d(t) + u.d(x, x) / 2 + power * u, u.d(t) + v.d(x, x) / 2 + power * v

    def ends(self, t: Field, x: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The differences from the given values."""
        real, imaginary = self.exact(t, x)
        return u - real, v - imaginary

    def exact(self, t: Field, x: Field) -> tuple[Field, ...]:
        """Real and imaginary part of the pair."""
        below = (4 * x).cosh() + 4 * (2 * x).cosh() + 3 * (4 * t).cos()
        wide, narrow = 4 * (3 * x).cosh() / below, 12 * x.cosh() / below
        return wide * (t / 2).cos() + narrow * (4.5 * t).cos(), wide * (t / 2).sin() + narrow * (4.5 * t).sin()
