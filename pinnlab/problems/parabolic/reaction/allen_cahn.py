"""The equation of Allen and Cahn."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.periodic import periodic
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.references.periodic import Periodic


class AllenCahn(Equation):
    """u_t = 1e-4 u_xx + 5 (u − u³) on [−1, 1], periodic, from x² cos πx, t ≤ 1: two phases separate.

    The periodic continuation of the start has a corner at x = ±1, so that u_xx is unbounded there for t → 0. The
    problem is that of Raissi, Perdikaris & Karniadakis (2019, section 3.2.2); files of its solution that circulate are
    wrong by 1e-5.

    Example:
        >>> AllenCahn().residual.__doc__
        'The balance u_t − 1e-4 u_xx − 5 (u − u³).'
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, and equal values and slopes at both ends."""
        box = Box(t=(0.0, 1.0), x=(-1.0, 1.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: u - x * x * (math.pi * x).cos()),
            "periodic": periodic(box, "x", "u"),
        }

    def residual(self, t: Field, x: Field, u: Field) -> Field:
        """The balance u_t − 1e-4 u_xx − 5 (u − u³)."""
        return u.d(t) - 1e-4 * u.d(x, x) - 5 * (u - u**3)

    def reference(self, t: np.ndarray, x: np.ndarray) -> np.ndarray:
        """A Fourier series of 4096 modes and ETDRK4, to 1e-8 but for the corner at t < 0.02."""
        return _series().at(t, x)[0]


@cache
def _series() -> Periodic:
    return Periodic(
        linear=lambda k: (5 - 1e-4 * k**2)[None],
        nonlinear=lambda u, k, to: -5 * to(u**3),
        start=lambda x: (x * x * np.cos(np.pi * x))[None],
        lower=-1.0,
        period=2.0,
        end=1.0,
        modes=4096,
        grid=17280,
        steps=1000,
        snapshots=500,
        coefficients=_corner,
    )


def _corner(k: np.ndarray) -> np.ndarray:
    """The Fourier coefficients of x² cos πx on [−1, 1], `(1, K + 1)`, for series that begin at −1.

    They fall as k⁻², so that those of values on a grid would be wrong by what the grid cannot tell apart.
    """

    def moment(m: np.ndarray) -> np.ndarray:
        m = np.abs(m)
        return np.where(m == 0, 2 / 3, 4 * (-1.0) ** m / (np.pi * np.maximum(m, 1)) ** 2)

    return ((-1.0) ** k * (moment(k - 1) + moment(k + 1)) / 4)[None].astype(complex)
