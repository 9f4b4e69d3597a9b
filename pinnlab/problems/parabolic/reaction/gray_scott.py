"""The equations of Gray and Scott."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.periodic import periodic
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.references.periodic import Periodic


class GrayScott(Equation):
    """u_t = 2e-5 u_xx − uv² + 0.04 (1 − u), v_t = 1e-5 v_xx + uv² − 0.1 v on [−½, ½], periodic, t ≤ 50.

    Fuel u is fed at the rate F = 0.04, v makes itself from it and decays at the rate F + k with k = 0.06 (Gray & Scott
    1984; diffusion as in Pearson 1993). From u = 1 − ½e^{−100x²}, v = ¼e^{−100x²} a spot grows, and its middle starves.

    Example:
        >>> import torch
        >>> GrayScott().solution({"t": torch.tensor([0.0]), "x": torch.tensor([0.0])})["v"].value
        tensor([0.2500])
    """

    inputs = ("t", "x")
    outputs = ("u", "v")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the start, and equal values and slopes at both ends."""
        box = Box(t=(0.0, 50.0), x=(-0.5, 0.5))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), self.start),
            "periodic": periodic(box, "x", "u", "v"),
        }

    def residual(self, t: Field, x: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The changes less diffusion and reaction."""
        made = u * v * v
        return u.d(t) - 2e-5 * u.d(x, x) + made - 0.04 * (1 - u), v.d(t) - 1e-5 * v.d(x, x) - made + 0.1 * v

    def start(self, t: Field, x: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The differences from the values at the start."""
        spot = (-100 * x * x).exp()
        return u - 1 + spot / 2, v - spot / 4

    def reference(self, t: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """A Fourier series of 192 modes and ETDRK4, to 1e-10."""
        return tuple(_series().at(t, x))


@cache
def _series() -> Periodic:
    def nonlinear(u: np.ndarray, k: np.ndarray, to: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        made = u[0] * u[1] ** 2
        return to(np.stack([0.04 - made, made]))

    return Periodic(
        linear=lambda k: np.stack([-2e-5 * k**2 - 0.04, -1e-5 * k**2 - 0.1]),
        nonlinear=nonlinear,
        start=lambda x: np.stack([1 - np.exp(-100 * x * x) / 2, np.exp(-100 * x * x) / 4]),
        lower=-0.5,
        period=1.0,
        end=50.0,
        modes=192,
        grid=780,
        steps=2000,
        snapshots=1000,
    )
