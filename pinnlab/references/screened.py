"""The screened Poisson equation on a square without discs, by functions that satisfy it exactly.

u is the sum of three parts: a closed form for the source, an integral that is constant on the sides of the square, and
modified Bessel functions around the discs with their images behind the sides. Only the last are found by least squares,
on the discs' circles, so that the largest gap there bounds the error everywhere (maximum principle).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import erf, kve

Array = np.ndarray
DISCS = ((0.5, 0.5, 0.2), (0.4, -0.4, 0.4), (-0.2, -0.7, 0.1), (-0.6, 0.5, 0.3))
"""Centres and radii."""
K, AMPLITUDE, MODES = 8.0, 10.0, (1, 4)
"""The equation is −Δu + K² u = A (a² + b² + x² + y²) sin aπx sin bπy with (a, b) the modes."""
OUTSIDE, INSIDE = 0.2, 1.0
"""The values on the sides of the square [−1, 1]², and on the circles."""
_MULTIPOLES, _IMAGES = 44, range(-2, 3)
_BLOCK = 2000


def screened(x: Array, y: Array) -> Array:
    """The solution at points of the square outside of the discs."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    parts = [
        _without_discs(x[i : i + _BLOCK], y[i : i + _BLOCK])
        + _around_discs(x[i : i + _BLOCK], y[i : i + _BLOCK]) @ _factors()
        for i in range(0, len(x), _BLOCK)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def screened_error() -> float:
    """The largest gap on the circles, at other points than those of the least squares."""
    x, y = _circles(333)
    return float(np.abs(screened(x, y) - INSIDE).max())


def _without_discs(x: Array, y: Array) -> Array:
    return _source(x, y) + OUTSIDE * (1 - _square(x, y))


def _source(x: Array, y: Array) -> Array:
    """A function that satisfies the equation and vanishes on the sides.

    With S = sin αx sin βy it is (c + d (x² + y²)) S + p x ∂S/∂x + q y ∂S/∂y, less what that is on the sides.
    """
    a, b = MODES
    alpha, beta = a * np.pi, b * np.pi
    own = alpha**2 + beta**2 + K**2
    d = AMPLITUDE / own
    factor = 4 * d / own
    c = (AMPLITUDE * (a * a + b * b) + 4 * d - 2 * factor * (alpha**2 + beta**2)) / own
    sx, cx, sy, cy = np.sin(alpha * x), np.cos(alpha * x), np.sin(beta * y), np.cos(beta * y)
    u = (c + d * (x * x + y * y)) * sx * sy + factor * (alpha * x * cx * sy + beta * y * sx * cy)
    along_x, along_y = np.hypot(beta, K), np.hypot(alpha, K)
    u -= factor * alpha * np.cos(alpha) * sy * np.sinh(along_x * x) / np.sinh(along_x)
    return u - factor * beta * np.cos(beta) * sx * np.sinh(along_y * y) / np.sinh(along_y)


def _square(x: Array, y: Array) -> Array:
    """The solution of −Δw + K² w = K², w = 0 on the sides: a Laplace transform of heat that leaks out of the square.

    w = ∫ K² e^{−K² s} g(x, s) g(y, s) ds, in which g is heat in [−1, 1] with images. The trapezoidal rule in log s.
    """
    logarithms = np.arange(-60, 2.0, 0.125)
    s = np.exp(logarithms)
    weights = K**2 * s * np.exp(-(K**2) * s) * 0.125
    # what is left out below the first node has g = 1
    return (weights * _heat(x, s) * _heat(y, s)).sum(1)


def _heat(x: Array, s: Array) -> Array:
    """Heat in [−1, 1] from 1, with 0 at the ends, `(N, S)`."""
    width = 2 * np.sqrt(s)
    total = np.ones((len(x), len(s)))
    for m in range(4):
        sign = (-1.0) ** m
        for side in (1 - x, 1 + x):
            total = total - sign * (1 - erf((side[:, None] + 2 * m) / width))
    return total


def _around_discs(x: Array, y: Array) -> Array:
    """K_m(K r) cos mθ and K_m(K r) sin mθ around each disc, less their images behind the sides, `(N, M)`."""
    columns = [_multipoles(x, y, *disc) for disc in DISCS]
    return np.concatenate(columns, 1)


def _multipoles(x: Array, y: Array, centre_x: float, centre_y: float, radius: float) -> Array:
    total = np.zeros((len(x), 2 * _MULTIPOLES + 1))
    orders = np.arange(_MULTIPOLES + 1)
    scale = kve(orders, K * radius)
    for i in _IMAGES:
        for j in _IMAGES:
            # a reflection turns the sign, and the point is reflected in place of the disc
            sign, px, py = (-1.0) ** (i + j), 2 * i + (-1) ** i * x, 2 * j + (-1) ** j * y
            r, angle = np.hypot(px - centre_x, py - centre_y), np.arctan2(py - centre_y, px - centre_x)
            radial = kve(orders, K * r[:, None]) / scale * np.exp(-K * (r - radius))[:, None]
            total[:, : _MULTIPOLES + 1] += sign * radial * np.cos(angle[:, None] * orders)
            total[:, _MULTIPOLES + 1 :] += sign * radial[:, 1:] * np.sin(angle[:, None] * orders[1:])
    return total


def _circles(count: int) -> tuple[Array, Array]:
    angle = 2 * np.pi * np.arange(count) / count
    x = np.concatenate([x + radius * np.cos(angle) for x, _, radius in DISCS])
    y = np.concatenate([y + radius * np.sin(angle) for _, y, radius in DISCS])
    return x, y


@cache
def _factors() -> Array:
    x, y = _circles(200)
    matrix = _around_discs(x, y)
    scale = np.abs(matrix).max(0)
    return np.linalg.lstsq(matrix / scale, INSIDE - _without_discs(x, y), rcond=1e-15)[0] / scale
