"""Robertson's kinetics."""

from __future__ import annotations

from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.references.initial_value import Piecewise, graded, march


class Robertson(Equation):
    """a' = −0.04 a + 1e4 b c, b' = 0.04 a − 1e4 b c − 3e7 b², c' = 3e7 b² from (1, 0, 0): three reactions.

    The rates differ by nine orders of magnitude, which makes it the standard example of a stiff system. b is at most
    3.7e-5, so that an error counts by the size of each output (Robertson 1966).

    Example:
        >>> import torch
        >>> [field.value for field in Robertson().solution({"t": torch.tensor([100.0])}).values()]
        [tensor([0.6172]), tensor([6.1536e-06]), tensor([0.3828])]
    """

    inputs = ("t",)
    outputs = ("a", "b", "c")

    def __init__(self, end: float = 100.0) -> None:
        """Sets the last time."""
        super().__init__()
        self.end = end

    def constraints(self) -> dict[str, Constraint]:
        """The equations, and the start."""
        line = Interval(t=(0.0, self.end))
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0.0), lambda t, a, b, c: (a - 1, b, c)),
        }

    def residual(self, t: Field, a: Field, b: Field, c: Field) -> tuple[Field, ...]:
        """The derivatives less the rates."""
        slow, back, fast = 0.04 * a, 1e4 * b * c, 3e7 * b * b
        return a.d(t) + slow - back, b.d(t) - slow + back + fast, c.d(t) - fast

    def reference(self, t: np.ndarray) -> tuple[np.ndarray, ...]:
        """Chebyshev collocation on intervals that grow geometrically, to 1e-13 of each output's scale."""
        return tuple(_reaction(self.end)(t))


@cache
def _reaction(end: float) -> Piecewise:
    def right(t: np.ndarray, y: np.ndarray) -> np.ndarray:
        slow, back, fast = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
        return np.stack([back - slow, slow - back - fast, fast])

    return march(right, np.array([1.0, 0.0, 0.0]), graded(end, 120))
