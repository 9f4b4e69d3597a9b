"""Duffing's oscillator."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.references.initial_value import Piecewise, march, uniform


class Duffing(Equation):
    """x'' + δ x' − x + x³ = F cos ωt, x(0) = 1, x'(0) = 0: a damped mass between two wells, driven.

    With δ = 0.2, F = 0.3 and ω = 1.2 the motion changes wells irregularly (Duffing 1918; Guckenheimer & Holmes 1983,
    section 2.2).

    Example:
        >>> import torch
        >>> Duffing().solution({"t": torch.tensor([0.0, 20.0])})["x"].value
        tensor([ 1.0000, -1.2551])
    """

    inputs = ("t",)
    outputs = ("x",)

    def __init__(self, delta: float = 0.2, force: float = 0.3, omega: float = 1.2, end: float = 20.0) -> None:
        """Sets δ, F, ω and the last time."""
        super().__init__()
        self.delta, self.force, self.omega, self.end = delta, force, omega, end

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the start."""
        line = Interval(t=(0.0, self.end))
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0.0), lambda t, x: (x - 1, x.d(t))),
        }

    def residual(self, t: Field, x: Field) -> Field:
        """The balance of forces."""
        return x.d(t, t) + self.delta * x.d(t) - x + x**3 - self.force * (self.omega * t).cos()

    def reference(self, t: np.ndarray) -> np.ndarray:
        """Chebyshev collocation on intervals of 1/5, to 1e-13."""
        return _motion(self.delta, self.force, self.omega, self.end)(t)[0]


@cache
def _motion(delta: float, force: float, omega: float, end: float) -> Piecewise:
    def right(t: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([y[1], force * np.cos(omega * t) - delta * y[1] + y[0] - y[0] ** 3])

    return march(right, np.array([1.0, 0.0]), uniform(end, math.ceil(5 * end)))
