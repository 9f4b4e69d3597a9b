"""Van der Pol's oscillator."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.references.initial_value import Piecewise, march, uniform


class VanDerPol(Equation):
    """u'' − μ (1 − u²) u' + u = 0, u(0) = 2, u'(0) = 0: an oscillator that damps large swings and drives small ones.

    For large μ it relaxes slowly and then jumps within a time of about 1/μ (Van der Pol 1926).

    Example:
        >>> import torch
        >>> VanDerPol().solution({"t": torch.tensor([0.0, 10.0])})["u"].value
        tensor([ 2.0000, -1.1587])
    """

    inputs = ("t",)
    outputs = ("u",)

    def __init__(self, mu: float = 5.0, end: float = 10.0) -> None:
        """Sets μ and the last time."""
        super().__init__()
        self.mu, self.end = mu, end

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the start."""
        line = Interval(t=(0.0, self.end))
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0.0), lambda t, u: (u - 2, u.d(t))),
        }

    def residual(self, t: Field, u: Field) -> Field:
        """The balance of forces."""
        return u.d(t, t) - self.mu * (1 - u * u) * u.d(t) + u

    def reference(self, t: np.ndarray) -> np.ndarray:
        """Chebyshev collocation on intervals of 1/12μ, to 1e-12."""
        return _motion(self.mu, self.end)(t)[0]


@cache
def _motion(mu: float, end: float) -> Piecewise:
    def right(t: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])

    return march(right, np.array([2.0, 0.0]), uniform(end, math.ceil(12 * max(mu, 1.0) * end)))
