"""An epidemic."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.references.initial_value import Piecewise, march, uniform


class SIR(Equation):
    """s' = −β s i, i' = β s i − γ i, r' = γ i from (1 − i₀, i₀, 0): the course of an epidemic.

    The parts of a population that can be infected (s), are infected (i) and have recovered (r); s + i + r = 1 at all
    times. Each infected person infects β others in a day if all can be infected, and is ill for 1/γ days. With β = 0.4
    and γ = 0.1 a day, R₀ = β/γ = 4, and i has its peak where s = 1/R₀. The first rise is exponential with the rate
    β − γ, so that errors of the start grow until the peak (Kermack & McKendrick 1927).

    Example:
        >>> import torch
        >>> parts = SIR().solution({"t": torch.tensor([100.0])})
        >>> [round(float(part.value), 4) for part in parts.values()]
        [0.0196, 0.0004, 0.9799]
    """

    inputs = ("t",)
    outputs = ("s", "i", "r")

    def __init__(self, beta: float = 0.4, gamma: float = 0.1, infected: float = 0.01, end: float = 100.0) -> None:
        """Sets β and γ, each per day, the part i₀ that is infected at the start, and the last day.

        Raises:
            UserError: if β, γ or the last day are not positive, or i₀ is not between 0 and 1.
        """
        super().__init__()
        if not min(beta, gamma, end) > 0:
            raise UserError(f"beta, gamma and the last day must be positive, got {beta}, {gamma} and {end}")
        if not 0 < infected < 1:
            raise UserError(f"the part that is infected at the start must be between 0 and 1, got {infected}")
        self.beta, self.gamma, self.infected, self.end = beta, gamma, infected, end

    def constraints(self) -> dict[str, Constraint]:
        """The equations, and the start."""
        days = Interval(t=(0.0, self.end))
        return {
            "ode": Constraint(days, self.residual),
            "start": Constraint(days.face("t", 0.0), self.start),
        }

    def residual(self, t: Field, s: Field, i: Field, r: Field) -> tuple[Field, ...]:
        """The changes less what is infected and what recovers in a day."""
        infections, recoveries = self.beta * s * i, self.gamma * i
        return s.d(t) + infections, i.d(t) - infections + recoveries, r.d(t) - recoveries

    def start(self, t: Field, s: Field, i: Field, r: Field) -> tuple[Field, ...]:
        """The differences from (1 − i₀, i₀, 0)."""
        return s - (1 - self.infected), i - self.infected, r

    def reference(self, t: np.ndarray) -> tuple[np.ndarray, ...]:
        """Chebyshev collocation on 50 or more intervals, to 1e-13."""
        return tuple(_course(self.beta, self.gamma, self.infected, self.end)(t))


@cache
def _course(beta: float, gamma: float, infected: float, end: float) -> Piecewise:
    def right(t: np.ndarray, y: np.ndarray) -> np.ndarray:
        infections, recoveries = beta * y[0] * y[1], gamma * y[1]
        return np.stack([-infections, infections - recoveries, recoveries])

    intervals = max(50, math.ceil(end * (beta + gamma)))
    return march(right, np.array([1 - infected, infected, 0.0]), uniform(end, intervals))
