"""The equation of Korteweg and de Vries."""

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


class KdV(Equation):
    """u_t + u u_x + δ² u_xxx = 0 on [−1, 1], periodic, from cos πx, t ≤ 1; δ = 0.022.

    A wave steepens until dispersion stops it, and breaks into eight solitons: the experiment by which Zabusky & Kruskal
    (1965) found them.

    Example:
        >>> KdV(dispersion=0.1).dispersion
        0.1
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def __init__(self, dispersion: float = 0.022) -> None:
        """Sets δ."""
        super().__init__()
        self.dispersion = dispersion

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, and equal values and two derivatives at both ends."""
        box = Box(t=(0.0, 1.0), x=(-1.0, 1.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: u - (math.pi * x).cos()),
            "periodic": periodic(box, "x", "u", order=2),
        }

    def residual(self, t: Field, x: Field, u: Field) -> Field:
        """The balance u_t + u u_x + δ² u_xxx."""
        return u.d(t) + u * u.d(x) + self.dispersion**2 * u.d(x, x, x)

    def reference(self, t: np.ndarray, x: np.ndarray) -> np.ndarray:
        """A Fourier series of 320 modes and ETDRK4, to 1e-9 for δ ≥ 0.022."""
        return _series(self.dispersion).at(t, x)[0]


@cache
def _series(dispersion: float) -> Periodic:
    return Periodic(
        linear=lambda k: (dispersion**2 * 1j * k**3)[None],
        nonlinear=lambda u, k, to: -0.5j * k * to(u**2),
        start=lambda x: np.cos(np.pi * x)[None],
        lower=-1.0,
        period=2.0,
        end=1.0,
        modes=320,
        grid=972,
        steps=16000,
        snapshots=1000,
    )
