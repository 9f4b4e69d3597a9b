"""Interpolation at the Gauss-Legendre nodes of [−1, 1], through Legendre polynomials, as numpy arrays.

The interpolant of values u_j at n nodes ξ_j with weights w_j is p = Σ_k c_k P_k, k < n, with

    c_k = (2k + 1)/2 · Σ_j w_j P_k(ξ_j) u_j,

since the rule integrates the products P_k P_l of these degrees exactly. This is well-conditioned for any n.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gauss(n: int) -> tuple[Array, Array]:
    """The n nodes and weights of Gauss-Legendre quadrature on [−1, 1]."""
    from scipy.special import roots_legendre

    nodes, weights = roots_legendre(n)
    return nodes, weights


def coefficients(n: int) -> Array:
    """The matrix `(n, n)` from values at the nodes to the coefficients c_k."""
    nodes, weights = gauss(n)
    degrees = np.arange(n)
    return (degrees + 0.5)[:, None] * (legendre.legvander(nodes, n - 1) * weights[:, None]).T


def interpolation(n: int, points: Array) -> Array:
    """The matrix `(..., n)` from values at n nodes to values of the interpolant at points of any shape."""
    return legendre.legvander(points, n - 1) @ coefficients(n)


def differentiation(n: int, points: Array) -> Array:
    """The matrix from values at n nodes to the derivative p' of the interpolant at points: `(..., n)`."""
    if n == 1:
        return np.zeros((*points.shape, 1))
    return legendre.legvander(points, n - 2) @ legendre.legder(coefficients(n), axis=0)


def integration(n: int) -> Array:
    """The matrix `(n, n)` from values at the nodes ξ_i to ∫_{−1}^{ξ_i} p, exact for polynomials of degree n − 1."""
    nodes, _ = gauss(n)
    return legendre.legvander(nodes, n) @ legendre.legint(coefficients(n), lbnd=-1, axis=0)
