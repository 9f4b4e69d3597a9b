"""The predators and prey of Lotka and Volterra."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.references.initial_value import Piecewise, march, uniform


class LotkaVolterra(Equation):
    """x' = α x − β x y, y' = δ x y − γ y from (10, 5): prey x and predators y.

    The motion is periodic, for δ x − γ log x + β y − α log y is conserved (Lotka 1925, Volterra 1926).

    Example:
        >>> import torch
        >>> [field.value for field in LotkaVolterra().solution({"t": torch.tensor([10.0])}).values()]
        [tensor([0.2872]), tensor([0.4498])]
    """

    inputs = ("t",)
    outputs = ("x", "y")

    def __init__(
        self, alpha: float = 1.5, beta: float = 1.0, delta: float = 1.0, gamma: float = 3.0, end: float = 10.0
    ) -> None:
        """Sets the rates α, β, δ, γ and the last time."""
        super().__init__()
        self.alpha, self.beta, self.delta, self.gamma, self.end = alpha, beta, delta, gamma, end

    def constraints(self) -> dict[str, Constraint]:
        """The equations, and the start."""
        line = Interval(t=(0.0, self.end))
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0.0), lambda t, x, y: (x - 10, y - 5)),
        }

    def residual(self, t: Field, x: Field, y: Field) -> tuple[Field, ...]:
        """The derivatives less births and deaths."""
        return x.d(t) - self.alpha * x + self.beta * x * y, y.d(t) - self.delta * x * y + self.gamma * y

    def reference(self, t: np.ndarray) -> tuple[np.ndarray, ...]:
        """Chebyshev collocation on intervals of 1/20, to 1e-12."""
        return tuple(_motion(self.alpha, self.beta, self.delta, self.gamma, self.end)(t))


@cache
def _motion(alpha: float, beta: float, delta: float, gamma: float, end: float) -> Piecewise:
    def right(t: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([(alpha - beta * y[1]) * y[0], (delta * y[0] - gamma) * y[1]])

    return march(right, np.array([10.0, 5.0]), uniform(end, math.ceil(20 * end)))
