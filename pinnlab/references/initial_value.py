"""Solutions of y' = f(t, y) to rounding, by Chebyshev collocation on one interval after another.

On each interval the integral form y = y(a) + ∫ f is collocated at Chebyshev points and solved by Newton's method. It is
implicit, of order twice the degree at the ends, and the solution is a polynomial everywhere, unlike the dense output of
Runge-Kutta codes, which has a lower order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.polynomial import chebyshev

Array = np.ndarray
Right = Callable[[Array, Array], Array]
"""f(t, y) for times `(N,)` and states `(m, N)`, of complex numbers too."""


@dataclass(frozen=True)
class Piecewise:
    """Polynomials on adjacent intervals: Chebyshev coefficients `(degree + 1, m)` of each."""

    edges: Array
    coefficients: list[Array]

    def __call__(self, t: Array) -> Array:
        """The states `(m, N)` at times `(N,)`."""
        t = np.asarray(t, float)
        where = np.clip(np.searchsorted(self.edges, t, "right") - 1, 0, len(self.coefficients) - 1)
        found = np.empty((self.coefficients[0].shape[1], len(t)))
        for i in np.unique(where):
            a, b = self.edges[i], self.edges[i + 1]
            rows = where == i
            found[:, rows] = chebyshev.chebval((2 * t[rows] - a - b) / (b - a), self.coefficients[i])
        return found


@cache
def rules(degree: int) -> tuple[Array, Array, Array]:
    """Chebyshev points from −1 to 1, the matrix of ∫ from −1, and that of the coefficients."""
    nodes = -np.cos(np.pi * np.arange(degree + 1) / degree)
    values = chebyshev.chebvander(nodes, degree)
    transform = np.linalg.inv(values)
    antiderivatives = np.stack([chebyshev.chebval(nodes, chebyshev.chebint(e, lbnd=-1)) for e in np.eye(degree + 1)], 1)
    return nodes, antiderivatives @ transform, transform


def march(right: Right, start: Array, edges: Array, degree: int = 24) -> Piecewise:
    """The solution from a start at the first edge.

    Args:
        right: f; real-analytic, since its Jacobian is taken by complex steps.
        start: The state at the first edge, `(m,)`.
        edges: The ends of the intervals, in ascending order.
        degree: The degree of the polynomials.

    Raises:
        RuntimeError: if Newton's method does not converge on an interval, which must be shorter then.
    """
    nodes, integral, transform = rules(degree)
    state, found = np.asarray(start, float), []
    for a, b in pairwise(edges):
        values = _interval(right, state, (a + b) / 2 + (b - a) / 2 * nodes, (b - a) / 2 * integral)
        found.append(transform @ values.T)
        state = values[:, -1]
    return Piecewise(np.asarray(edges, float), found)


def _interval(right: Right, state: Array, t: Array, integral: Array) -> Array:
    """The states `(m, n + 1)` at the nodes of an interval."""
    m, count = len(state), len(t)
    values = np.repeat(state[:, None], count, 1)
    smallest, last = np.inf, values
    for _ in range(60):
        gap = values - state[:, None] - right(t, values) @ integral.T
        # each component by its own size
        size = float((np.abs(gap).max(1) / (np.abs(values).max(1) + 1e-30)).max())
        if size < 1e-10 and size >= smallest / 4:
            return last if size > smallest else values
        smallest, last = min(size, smallest), values if size < smallest else last
        jacobian = np.zeros((m, count, m, count))
        for j in range(m):
            moved = values.astype(complex)
            moved[j] += 1e-30j
            slope = right(t, moved).imag / 1e-30
            for i in range(m):
                jacobian[i, :, j, :] = (i == j) * np.eye(count) - integral * slope[i]
        step = np.linalg.solve(jacobian.reshape(m * count, m * count), -gap.reshape(-1))
        values = values + step.reshape(m, count)
    raise RuntimeError(f"Newton's method does not converge on [{t[0]:g}, {t[-1]:g}]: take shorter intervals")


def uniform(end: float, count: int) -> Array:
    """Edges of equal intervals from 0."""
    return np.linspace(0, end, count + 1)


def graded(end: float, count: int, first: float = 1e-5) -> Array:
    """Edges from 0 that grow geometrically after the first."""
    return np.concatenate([[0.0], np.geomspace(first, end, count)])
