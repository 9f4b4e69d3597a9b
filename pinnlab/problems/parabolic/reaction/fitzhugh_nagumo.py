"""The equations of FitzHugh and Nagumo."""

from __future__ import annotations

from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.periodic import periodic
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.references.periodic import Periodic


class FitzHughNagumo(Equation):
    """u_t = u_xx + u − u³/3 − v, v_t = 0.08 (u + 0.7 − 0.8v) on [−10, 10], periodic, t ≤ 5: pulses in a nerve.

    u is the voltage across the membrane of a nerve, v its slow recovery, and the numbers are FitzHugh's (1961). At rest
    u = −1.2, v = −0.6245. The start u = −1.2 + 2.5 e^{−x²/2} is above the threshold, and two pulses run from it in both
    directions. Their fronts are steep, and behind them u changes slowly.

    Example:
        >>> import torch
        >>> FitzHughNagumo().solution({"t": torch.tensor([0.0]), "x": torch.tensor([0.0])})["u"].value
        tensor([1.3000])
    """

    inputs = ("t", "x")
    outputs = ("u", "v")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the start, and equal ends: values and slopes of u, which diffuses, and values of v."""
        box = Box(t=(0.0, 5.0), x=(-10.0, 10.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), self.start),
            "periodic": periodic(box, "x", "u"),
            "periodic_recovery": periodic(box, "x", "v", order=0),
        }

    def residual(self, t: Field, x: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The changes of voltage and recovery less their causes."""
        return u.d(t) - u.d(x, x) - u + u**3 / 3 + v, v.d(t) - 0.08 * (u + 0.7 - 0.8 * v)

    def start(self, t: Field, x: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The differences from the values at the start."""
        return u + 1.2 - 2.5 * (-x * x / 2).exp(), v + 0.6245

    def reference(self, t: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """A Fourier series of 192 modes and ETDRK4, to 1e-10."""
        return tuple(_series().at(t, x))


@cache
def _series() -> Periodic:
    return Periodic(
        linear=lambda k: np.stack([1 - k**2, -0.064 + 0 * k]),
        nonlinear=lambda u, k, to: to(np.stack([-(u[0] ** 3) / 3 - u[1], 0.08 * (u[0] + 0.7)])),
        start=lambda x: np.stack([-1.2 + 2.5 * np.exp(-x * x / 2), -0.6245 + 0 * x]),
        lower=-10.0,
        period=20.0,
        end=5.0,
        modes=192,
        grid=780,
        steps=4000,
        snapshots=1000,
    )
