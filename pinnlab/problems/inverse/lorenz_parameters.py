"""The parameters of Lorenz' system from measurements."""

from __future__ import annotations

from functools import cache

import numpy as np
from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval, PointSet
from pinnlab.jets import Field
from pinnlab.references.initial_value import Piecewise, march, uniform

SIGMA, RHO, BETA = 10.0, 15.0, 8 / 3
"""The true parameters: the motion spirals into a point of rest and is not chaotic."""

START = (-8.0, 7.0, 27.0)
"""The state at t = 0."""

END, COUNT = 3.0, 60
"""The last time, and the number of times with a measurement."""


class LorenzParameters(Equation):
    """x' = σ (y − x), y' = x (ρ − z) − y, z' = x y − β z, t ≤ 3, with σ, ρ, β from 60 measurements of (x, y, z).

    The truth is σ = 10, ρ = 15, β = 8/3, and the start (−8, 7, 27) is known: an inverse problem of Lu, Meng, Mao &
    Karniadakis (2021, DeepXDE). For this ρ the motion comes to rest, so that errors do not grow; with ρ = 28 it would
    be chaotic. The times of measurement are equally spaced, and the Gaussian noise of a given size has a fixed seed.

    Example:
        >>> {name: unknown.truth for name, unknown in LorenzParameters().unknowns().items()}
        {'sigma': 10.0, 'rho': 15.0, 'beta': 2.6666666666666665}
    """

    inputs = ("t",)
    outputs = ("x", "y", "z")

    def __init__(self, noise: float = 0.0) -> None:
        """Sets the standard deviation of the noise; z is up to 27.

        Raises:
            UserError: if it is negative.
        """
        super().__init__()
        if not noise >= 0:
            raise UserError(f"the noise must be 0 or more, got {noise}")
        self.noise = noise
        self.sigma = Unknown(5.0, truth=SIGMA)
        self.rho = Unknown(5.0, truth=RHO)
        self.beta = Unknown(5.0, truth=BETA)

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the start and the measurements."""
        line = Interval(t=(0.0, END))
        x0, y0, z0 = START
        t, data = _measured(self.noise)
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0.0), lambda t, x, y, z: (x - x0, y - y0, z - z0)),
            "data": Constraint(PointSet(t=t, mx=data[0], my=data[1], mz=data[2]), self.misfit),
        }

    def residual(
        self, t: Field, x: Field, y: Field, z: Field, sigma: Tensor, rho: Tensor, beta: Tensor
    ) -> tuple[Field, ...]:
        """The derivatives less the right-hand sides."""
        return x.d(t) - sigma * (y - x), y.d(t) - x * (rho - z) + y, z.d(t) - x * y + beta * z

    def misfit(self, x: Field, y: Field, z: Field, mx: Tensor, my: Tensor, mz: Tensor) -> tuple[Field, ...]:
        """The differences from the measurements."""
        return x - mx, y - my, z - mz

    def reference(self, t: np.ndarray) -> tuple[np.ndarray, ...]:
        """Chebyshev collocation on intervals of 1/40, to 1e-13, with the true parameters and without noise."""
        return tuple(_motion()(t))


@cache
def _motion() -> Piecewise:
    def right(t: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([SIGMA * (y[1] - y[0]), y[0] * (RHO - y[2]) - y[1], y[0] * y[1] - BETA * y[2]])

    return march(right, np.array(START), uniform(END, 120))


@cache
def _measured(noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Times, and measurements `(3, N)`."""
    t = np.linspace(0, END, COUNT + 1)[1:]
    return t, _motion()(t) + noise * np.random.default_rng(1963).normal(size=(3, COUNT))
