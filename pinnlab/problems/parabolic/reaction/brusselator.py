"""The Brusselator."""

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


class Brusselator(Equation):
    """u_t = 1 + u²v − 4u + 0.02 u_xx, v_t = 3u − u²v + 0.02 v_xx on [0, 1], periodic, t ≤ 5.

    An autocatalytic reaction that oscillates, from u = 1 + ½ sin 2πx, v = 3 (Prigogine & Lefever 1968; Hairer &
    Wanner 1996, section IV.1, with other ends).

    Example:
        >>> import torch
        >>> Brusselator().solution({"t": torch.tensor([0.0]), "x": torch.tensor([0.25])})["u"].value
        tensor([1.5000])
    """

    inputs = ("t", "x")
    outputs = ("u", "v")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the start, and equal values and slopes at both ends."""
        box = Box(t=(0.0, 5.0), x=(0.0, 1.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), self.start),
            "periodic": periodic(box, "x", "u", "v"),
        }

    def residual(self, t: Field, x: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The derivatives less reaction and diffusion."""
        made = u * u * v
        return u.d(t) - 1 - made + 4 * u - 0.02 * u.d(x, x), v.d(t) - 3 * u + made - 0.02 * v.d(x, x)

    def start(self, t: Field, x: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The differences from the values at the start."""
        return u - 1 - (2 * math.pi * x).sin() / 2, v - 3

    def reference(self, t: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """A Fourier series of 64 modes and ETDRK4, to 1e-10."""
        return tuple(_series().at(t, x))


@cache
def _series() -> Periodic:
    return Periodic(
        linear=lambda k: np.stack([-0.02 * k**2 - 4, -0.02 * k**2]),
        nonlinear=lambda u, k, to: to(np.stack([1 + u[0] ** 2 * u[1], 3 * u[0] - u[0] ** 2 * u[1]])),
        start=lambda x: np.stack([1 + np.sin(2 * np.pi * x) / 2, 3 + 0 * x]),
        lower=0.0,
        period=1.0,
        end=5.0,
        modes=64,
        grid=260,
        steps=5000,
        snapshots=500,
    )
