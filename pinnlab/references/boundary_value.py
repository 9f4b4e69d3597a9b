"""Solutions of y' = f(t, y) with conditions at both ends, by Chebyshev collocation on all intervals at once.

The same collocation as in `initial_value`, but the intervals form one system for Newton's method, so that solutions
are found which marching from one end would lose, because their neighbours grow.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pinnlab.references.initial_value import Array, Piecewise, Right, rules

Ends = Callable[[Array, Array], Array]
"""The m conditions, as functions of the states `(m,)` at both ends, that are to be 0."""


def join(right: Right, ends: Ends, guess: Callable[[Array], Array], edges: Array, degree: int = 24) -> Piecewise:
    """The solution near a guess.

    Args:
        right: f; real-analytic, since its Jacobian is taken by complex steps.
        ends: The conditions at the first and the last edge; real-analytic too.
        guess: States `(m, N)` at times `(N,)` where Newton's method begins.
        edges: The ends of the intervals, in ascending order.
        degree: The degree of the polynomials.

    Raises:
        RuntimeError: if Newton's method does not converge.
    """
    nodes, integral, transform = rules(degree)
    halves = np.diff(edges) / 2
    t = (edges[:-1] + halves)[:, None] + halves[:, None] * nodes
    values = np.stack([guess(row) for row in t])
    smallest = np.inf
    for _ in range(60):
        with np.errstate(over="ignore", invalid="ignore"):
            step = _step(right, ends, t, values, halves, integral)
        values = values + step
        if not np.isfinite(values).all():
            break
        size = float(np.abs(step).max() / np.abs(values).max())
        if size < 1e-10 and size >= smallest / 4:
            return Piecewise(np.asarray(edges, float), [transform @ each.T for each in values])
        smallest = min(size, smallest)
    raise RuntimeError(f"Newton's method does not converge on [{edges[0]:g}, {edges[-1]:g}] from this guess")


def _step(right: Right, ends: Ends, t: Array, values: Array, halves: Array, integral: Array) -> Array:
    """Newton's step of the states `(intervals, m, n + 1)`."""
    count, m, points = values.shape
    flat = t.ravel()
    state = values.transpose(1, 0, 2).reshape(m, -1)
    gap = np.empty_like(values)
    jacobian = np.zeros((count, m, points, count, m, points))
    slopes = right(flat, state).reshape(m, count, points)
    for k in range(count):
        gap[k] = values[k] - values[k, :, :1] - halves[k] * slopes[:, k] @ integral.T
        gap[k, :, 0] = values[k, :, 0] - values[k - 1, :, -1] if k else ends(values[0, :, 0], values[-1, :, -1])
    for j in range(m):
        moved = state.astype(complex)
        moved[j] += 1e-30j
        slope = (right(flat, moved).imag / 1e-30).reshape(m, count, points)
        for k in range(count):
            for i in range(m):
                jacobian[k, i, 1:, k, j] = -halves[k] * integral[1:] * slope[i, k]
            jacobian[k, j, range(1, points), k, j, range(1, points)] += 1
            jacobian[k, j, 1:, k, j, 0] -= 1
            if k:
                jacobian[k, j, 0, k, j, 0], jacobian[k, j, 0, k - 1, j, -1] = 1.0, -1.0
        direction = 1e-30j * np.eye(m)[j]
        jacobian[0, :, 0, 0, j, 0] += ends(values[0, :, 0] + direction, values[-1, :, -1] + 0j).imag / 1e-30
        jacobian[0, :, 0, -1, j, -1] += ends(values[0, :, 0] + 0j, values[-1, :, -1] + direction).imag / 1e-30
    size = count * m * points
    return np.linalg.solve(jacobian.reshape(size, size), -gap.ravel()).reshape(values.shape)
