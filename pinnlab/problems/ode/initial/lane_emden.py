"""The star of Lane and Emden."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.references.initial_value import Piecewise, march, uniform


class LaneEmden(Equation):
    """r θ'' + 2 θ' + r θⁿ = 0 on [0, R], θ(0) = 1, θ'(0) = 0: a polytropic star of index n, with density θⁿ.

    The equation is singular at the centre, where r multiplies its highest derivative. For n = 3 (Eddington's model) the
    star ends at the first zero, r = 6.8968 (Chandrasekhar 1939, chapter IV).

    Example:
        >>> import torch
        >>> LaneEmden().solution({"r": torch.tensor([0.0, 1.0, 6.0])})["theta"].value
        tensor([1.0000, 0.8551, 0.0437])
    """

    inputs = ("r",)
    outputs = ("theta",)

    def __init__(self, index: int = 3, radius: float = 6.0) -> None:
        """Sets n and R."""
        super().__init__()
        self.index, self.radius = index, radius

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the centre."""
        line = Interval(r=(0.0, self.radius))
        return {
            "ode": Constraint(line, self.residual),
            "centre": Constraint(line.face("r", 0.0), lambda r, theta: (theta - 1, theta.d(r))),
        }

    def residual(self, r: Field, theta: Field) -> Field:
        """The balance of gravity and pressure, times r."""
        return r * theta.d(r, r) + 2 * theta.d(r) + r * theta**self.index

    def reference(self, r: np.ndarray) -> np.ndarray:
        """Chebyshev collocation on intervals of ¼ for θ and s = −θ'/r, which is regular: s' = (θⁿ − 3s)/r."""
        return _star(self.index, self.radius)(r)[0]


@cache
def _star(index: int, radius: float) -> Piecewise:
    def right(r: np.ndarray, y: np.ndarray) -> np.ndarray:
        inside = np.where(r == 0, 1, r)
        return np.stack([-r * y[1], np.where(r == 0, 0, (y[0] ** index - 3 * y[1]) / inside)])

    return march(right, np.array([1.0, 1 / 3]), uniform(radius, math.ceil(4 * radius)))
