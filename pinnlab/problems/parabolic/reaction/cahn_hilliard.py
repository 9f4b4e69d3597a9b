"""The equation of Cahn and Hilliard."""

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


class CahnHilliard(Equation):
    """u_t = (u³ − u − ε² u_xx)_xx on [−1, 1], periodic, from 0.1 cos 2πx + 0.05 sin πx, t ≤ 0.2; ε = 0.1.

    An alloy separates into two phases u = ±1, and the amount of each, ∫u, is kept. Waves longer than 2πε grow, those of
    wave number 1/(√2 ε) fastest, until walls of width ε between the phases are left (Cahn & Hilliard 1958).

    Example:
        >>> import torch
        >>> CahnHilliard().solution({"t": torch.tensor([0.0]), "x": torch.tensor([0.0])})["u"].value
        tensor([0.1000])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, and equal values and three derivatives at both ends."""
        box = Box(t=(0.0, 0.2), x=(-1.0, 1.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), self.start),
            "periodic": periodic(box, "x", "u", order=3),
        }

    def residual(self, t: Field, x: Field, u: Field) -> Field:
        """The change less the divergence of the flux: (u³)_xx = 3u² u_xx + 6u u_x²."""
        bend = u.d(x, x)
        return u.d(t) - 3 * u * u * bend - 6 * u * u.d(x) ** 2 + bend + EPSILON**2 * u.d(x, x, x, x)

    def start(self, t: Field, x: Field, u: Field) -> Field:
        """The difference from the values at the start."""
        return u - 0.1 * (2 * math.pi * x).cos() - 0.05 * (math.pi * x).sin()

    def reference(self, t: np.ndarray, x: np.ndarray) -> np.ndarray:
        """A Fourier series of 64 modes and ETDRK4, to 1e-11."""
        return _series().at(t, x)[0]


EPSILON = 0.1


@cache
def _series() -> Periodic:
    return Periodic(
        linear=lambda k: (k**2 - EPSILON**2 * k**4)[None],
        nonlinear=lambda u, k, to: -(k**2) * to(u**3),
        start=lambda x: (0.1 * np.cos(2 * np.pi * x) + 0.05 * np.sin(np.pi * x))[None],
        lower=-1.0,
        period=2.0,
        end=0.2,
        modes=64,
        grid=260,
        steps=10000,
        snapshots=1000,
    )
