"""The cavity under a lid of velocity 4x(1 − x) by Chebyshev collocation and Newton's method.

Velocities are polynomials of degree N along each axis, collocated at the interior Chebyshev points, and the pressure is
one of degree N − 2 on these points, so that it has no spurious modes but the constant. The lid meets the walls with a
kink. Its Stokes flow is known: with X and Y the distances from wall and lid, r² = X² + Y² and tan θ = Y/X,

    u = 4X − 2πY + 4Yθ, v = 4Xθ, p = (8/Re) log r

at the left corner. It is taken off at both corners, so that what is left is smoother: velocities as r^2.74.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial import chebyshev
from scipy.linalg import lu_factor, lu_solve

Array = np.ndarray
DEGREE = 40


def nodes(degree: int) -> Array:
    """Chebyshev points from 0 to 1."""
    return (1 - np.cos(np.pi * np.arange(degree + 1) / degree)) / 2


def differentiation(x: Array) -> Array:
    """The matrix that differentiates the polynomial through values at these points."""
    gap = x[:, None] - x + np.eye(len(x))
    # products of gaps to all other points, as logarithms so that nothing overflows
    size, sign = np.log(np.abs(gap)).sum(1), np.sign(gap).prod(1)
    matrix = np.exp(size[:, None] - size) * sign[:, None] * sign / gap
    np.fill_diagonal(matrix, 0)
    np.fill_diagonal(matrix, -matrix.sum(1))
    return matrix


def corners(x: Array, y: Array) -> dict[str, Array]:
    """The Stokes flows of both corners together: u, v, their derivatives, and Re · p, infinite in the corners."""
    total: dict[str, Array] = {}
    for sign, X in ((1, x), (-1, 1 - x)):
        Y = 1 - y
        angle, square = np.arctan2(Y, X), X * X + Y * Y
        with np.errstate(divide="ignore"):
            level = 4 * np.log(square)
        square = np.where(square == 0, 1, square)
        parts = {
            "u": 4 * X - 2 * np.pi * Y + 4 * Y * angle,
            "v": sign * 4 * X * angle,
            "u_x": sign * (4 - 4 * Y * Y / square),
            "u_y": 2 * np.pi - 4 * angle - 4 * X * Y / square,
            "v_x": 4 * angle - 4 * X * Y / square,
            "v_y": -sign * 4 * X * X / square,
            "p": sign * level,
        }
        total = {name: total.get(name, 0) + part for name, part in parts.items()}
    return total


def march(degree: int, reynolds: float) -> dict[str, Array]:
    """The values of what is left of u and v `(N + 1, N + 1)` at all points, and of p inside; x is the first axis."""
    x = nodes(degree)
    d, dp = differentiation(x), differentiation(x[1:-1])
    inner, one, count = slice(1, -1), np.eye(degree - 1), (degree - 1) ** 2
    first, second = d[inner, inner], (d @ d)[inner, inner]
    d_x, d_y = np.kron(first, one), np.kron(one, first)
    p_x, p_y = np.kron(dp, one), np.kron(one, dp)
    laplacian = np.kron(second, one) + np.kron(one, second)
    known = corners(x[:, None], x[None])
    u, v, p = -known["u"], -known["v"], np.zeros(count)
    u[:, -1] += 4 * x * (1 - x)
    slack = 0.0
    diagonal = lambda values: values.reshape(-1, 1)  # noqa: E731
    for _ in range(12):
        d_u, d_v = d @ u, v @ d.T
        around_u, around_v = d @ d_u + u @ (d @ d).T, d @ d @ v + d_v @ d.T
        whole_u, whole_v = known["u"] + u, known["v"] + v
        u_x, u_y = known["u_x"] + d_u, known["u_y"] + u @ d.T
        v_x, v_y = known["v_x"] + d @ v, known["v_y"] + d_v
        gaps = [
            (whole_u * u_x + whole_v * u_y - around_u / reynolds)[inner, inner].ravel() + p_x @ p,
            (whole_u * v_x + whole_v * v_y - around_v / reynolds)[inner, inner].ravel() + p_y @ p,
            (d_u + d_v)[inner, inner].ravel() - slack,
            np.array([p.mean()]),
        ]
        carried = diagonal(whole_u[inner, inner]) * d_x + diagonal(whole_v[inner, inner]) * d_y - laplacian / reynolds
        matrix = np.zeros((3 * count + 1, 3 * count + 1))
        a, b, c = slice(0, count), slice(count, 2 * count), slice(2 * count, 3 * count)
        matrix[a, a] = carried + np.diag(u_x[inner, inner].ravel())
        matrix[a, b] = np.diag(u_y[inner, inner].ravel())
        matrix[b, a] = np.diag(v_x[inner, inner].ravel())
        matrix[b, b] = carried + np.diag(v_y[inner, inner].ravel())
        matrix[a, c], matrix[b, c], matrix[c, a], matrix[c, b] = p_x, p_y, d_x, d_y
        matrix[c, -1], matrix[-1, c] = -1, 1 / count
        step = lu_solve(lu_factor(matrix, overwrite_a=True, check_finite=False), -np.concatenate(gaps))
        u[inner, inner] += step[a].reshape(degree - 1, -1)
        v[inner, inner] += step[b].reshape(degree - 1, -1)
        p, slack = p + step[c], slack + step[-1]
        if np.abs(step[: 2 * count]).max() < 1e-11:
            return {"u": u, "v": v, "p": p.reshape(degree - 1, -1)}
    raise RuntimeError("Newton's method does not converge")


def cavity(x: Array, y: Array, reynolds: float = 100.0, degree: int = DEGREE) -> dict[str, Array]:
    """u, v and p at points; p = 0 at the origin, and infinite at the lid's corners.

    Args:
        x: Coordinates, `(N,)`.
        y: Coordinates, `(N,)`.
        reynolds: The Reynolds number.
        degree: The degree of the polynomials.

    Raises:
        RuntimeError: if Newton's method does not converge: where the Reynolds number is in the thousands.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    found = corners(x, y)
    for name, (matrix, level) in _series(reynolds, degree).items():
        along_x, along_y = (chebyshev.chebvander(2 * c - 1, len(matrix) - 1) for c in (x, y))
        smooth = np.einsum("ni,ni->n", along_x @ matrix, along_y) - level
        found[name] = smooth + found[name] / (reynolds if name == "p" else 1)
    return {name: found[name] for name in "uvp"}


@cache
def _series(reynolds: float, degree: int) -> dict[str, tuple[Array, float]]:
    """Chebyshev coefficients of what is left of the outputs, and what is taken off: the pressure at the origin."""
    values = march(degree, reynolds)
    x = nodes(degree)
    found = {}
    for name, points in (("u", x), ("v", x), ("p", x[1:-1])):
        transform = np.linalg.inv(chebyshev.chebvander(2 * points - 1, len(points) - 1))
        matrix = transform @ values[name] @ transform.T
        signs = (-1.0) ** np.arange(len(points))
        at_origin = corners(np.zeros(1), np.zeros(1))["p"].item() / reynolds
        found[name] = matrix, float(signs @ matrix @ signs) + at_origin if name == "p" else 0.0
    return found
