"""Lorenz' system."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.references.initial_value import Piecewise, march, uniform


class Lorenz(Equation):
    """x' = σ (y − x), y' = x (ρ − z) − y, z' = x y − β z from (1, 1, 1): Lorenz' model of convection.

    For σ = 10, ρ = 28, β = 8/3 the motion is chaotic: errors grow like e^{0.9t}. In one piece a network fails from
    t = 3 on, so that a solution has to march (Lorenz 1963, Deterministic Nonperiodic Flow).

    Example:
        >>> import torch
        >>> [field.value for field in Lorenz().solution({"t": torch.tensor([3.0])}).values()]
        [tensor([-7.4567]), tensor([-6.1910]), tensor([27.4418])]
    """

    inputs = ("t",)
    outputs = ("x", "y", "z")

    def __init__(self, sigma: float = 10.0, rho: float = 28.0, beta: float = 8 / 3, end: float = 3.0) -> None:
        """Sets σ, ρ, β and the last time."""
        super().__init__()
        self.sigma, self.rho, self.beta, self.end = sigma, rho, beta, end

    def constraints(self) -> dict[str, Constraint]:
        """The equations, and the start."""
        line = Interval(t=(0.0, self.end))
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0.0), lambda t, x, y, z: (x - 1, y - 1, z - 1)),
        }

    def residual(self, t: Field, x: Field, y: Field, z: Field) -> tuple[Field, ...]:
        """The derivatives less the right-hand sides."""
        return (
            x.d(t) - self.sigma * (y - x),
            y.d(t) - x * (self.rho - z) + y,
            z.d(t) - x * y + self.beta * z,
        )

    def reference(self, t: np.ndarray) -> tuple[np.ndarray, ...]:
        """Chebyshev collocation on intervals of 1/40, to 1e-13 of the scale at t = 3."""
        return tuple(_motion(self.sigma, self.rho, self.beta, self.end)(t))


@cache
def _motion(sigma: float, rho: float, beta: float, end: float) -> Piecewise:
    def right(t: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([sigma * (y[1] - y[0]), y[0] * (rho - y[2]) - y[1], y[0] * y[1] - beta * y[2]])

    return march(right, np.ones(3), uniform(end, math.ceil(40 * end)))
