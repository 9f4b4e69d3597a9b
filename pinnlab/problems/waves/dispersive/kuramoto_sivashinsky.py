"""The equation of Kuramoto and Sivashinsky."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.periodic import periodic
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.references.periodic import Periodic


class KuramotoSivashinsky(Equation):
    """u_t + α u u_x + β u_xx + γ u_xxxx = 0 on [0, 2π], periodic, from cos x (1 + sin x), t ≤ 1.

    Fronts of flames and films that flow down a wall (Kuramoto & Tsuzuki 1976; Sivashinsky 1977): long waves grow by
    the second derivative, short ones are damped by the fourth, and the nonlinear term carries energy from one to the
    other. For α = 100/16, β = 100/16², γ = 100/16⁴, the field's benchmark (Wang, Sankaran & Perdikaris 2022), the
    motion is chaotic from t = 0.4 or so on, with steep fronts: an error of the start is a thousand times larger at
    t = 1. A smaller `end` is easier.

    Example:
        >>> import torch
        >>> equation = KuramotoSivashinsky(end=0.1)
        >>> equation.solution({"t": torch.tensor([0.0]), "x": torch.tensor([0.0])})["u"].value
        tensor([1.])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def __init__(self, end: float = 1.0) -> None:
        """Sets the last time.

        Raises:
            UserError: if it is not positive, or larger than 1.
        """
        super().__init__()
        if not 0 < end <= 1:
            raise UserError(f"the last time must be between 0 and 1, got {end}")
        self.end = end

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, and equal values and three derivatives at both ends."""
        box = Box(t=(0.0, self.end), x=(0.0, 2 * math.pi))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: u - x.cos() * (1 + x.sin())),
            "periodic": periodic(box, "x", "u", order=3),
        }

    def residual(self, t: Field, x: Field, u: Field) -> Field:
        """The balance of all terms."""
        return u.d(t) + ALPHA * u * u.d(x) + BETA * u.d(x, x) + GAMMA * u.d(x, x, x, x)

    def reference(self, t: np.ndarray, x: np.ndarray) -> np.ndarray:
        """A Fourier series of 160 modes and ETDRK4, to 1e-9."""
        return _series().at(t, x)[0]


ALPHA, BETA, GAMMA = 100 / 16, 100 / 16**2, 100 / 16**4


@cache
def _series() -> Periodic:
    return Periodic(
        linear=lambda k: (BETA * k**2 - GAMMA * k**4)[None],
        nonlinear=lambda u, k, to: -0.5j * ALPHA * k * to(u**2),
        start=lambda x: (np.cos(x) * (1 + np.sin(x)))[None],
        lower=0.0,
        period=2 * np.pi,
        end=1.0,
        modes=160,
        grid=486,
        steps=64000,
        snapshots=2000,
    )
