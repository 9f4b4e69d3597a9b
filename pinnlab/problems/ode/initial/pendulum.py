"""The pendulum."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.references.initial_value import Piecewise, march, uniform


class Pendulum(Equation):
    """θ'' = −sin θ, θ(0) = θ₀, θ'(0) = 0: a pendulum that is let go, with time in units of √(l/g).

    The energy ½ θ'² − cos θ is conserved. The period is 4 K(sin ½θ₀) with the complete elliptic integral K, 8.35 for
    θ₀ = 2, which is a third more than that of small swings.

    Example:
        >>> import torch
        >>> Pendulum().solution({"t": torch.tensor([20.0])})["theta"].value
        tensor([-1.6446])
    """

    inputs = ("t",)
    outputs = ("theta",)

    def __init__(self, angle: float = 2.0, end: float = 20.0) -> None:
        """Sets the angle θ₀ at the start, in radians, and the last time."""
        super().__init__()
        self.angle, self.end = angle, end

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the start at rest."""
        line = Interval(t=(0.0, self.end))
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0.0), lambda t, theta: (theta - self.angle, theta.d(t))),
        }

    def residual(self, t: Field, theta: Field) -> Field:
        """The balance of moments."""
        return theta.d(t, t) + theta.sin()

    def reference(self, t: np.ndarray) -> np.ndarray:
        """Chebyshev collocation on intervals of 1/5, to 1e-13."""
        return _motion(self.angle, self.end)(t)[0]


@cache
def _motion(angle: float, end: float) -> Piecewise:
    def right(t: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([y[1], -np.sin(y[0])])

    return march(right, np.array([angle, 0.0]), uniform(end, math.ceil(5 * end)))
