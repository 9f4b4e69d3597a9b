"""Two Dirichlet problems by least squares of functions that satisfy the equation exactly.

What is left is the error on the boundary, and by the maximum principle the error inside is no larger: the largest gap
on the boundary is a bound of the error everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np

Array = np.ndarray
CENTRE, RADIUS = 0.3, 0.1
MULTIPOLES, POLYNOMIALS = 26, 16
FRACTIONAL, SMOOTH = 70, 44
OUTER = (1 + 0j, 1 + 1j, -1 + 1j, -1 - 1j, -1j)
"""The outer corners of the L-shape, between the inner one's sides, counter-clockwise."""


# --- the square with four holes -------------------------------------------------------------------------------------


def _disc_functions(z: Array) -> Array:
    """The sums over the four discs of log |w| and Re w^{−m}, `(N, MULTIPOLES + 1)`, with the symmetry of the square."""
    total = np.zeros((len(z), MULTIPOLES + 1))
    for quarter in range(4):
        turn = 1j**quarter
        w = (z / turn - CENTRE * (1 + 1j)) * np.exp(-0.25j * np.pi) / RADIUS
        total[:, 0] += np.log(np.abs(w))
        total[:, 1:] += np.stack([(w**-m).real for m in range(1, MULTIPOLES + 1)], 1)
    return total


def _holes_basis(x: Array, y: Array) -> Array:
    """The functions of the discs and their images with the opposite sign behind each side, and Re z^{4k}."""
    total = np.zeros((len(x), MULTIPOLES + 1))
    for sign_x, image_x in ((1, x), (-1, 1 - x), (-1, -1 - x)):
        for sign_y, image_y in ((1, y), (-1, 1 - y), (-1, -1 - y)):
            total = total + sign_x * sign_y * _disc_functions(image_x + 1j * image_y)
    z = (x + 1j * y) / np.sqrt(0.5)
    smooth = np.stack([(z ** (4 * k)).real for k in range(POLYNOMIALS + 1)], 1)
    return np.concatenate([total, smooth], 1)


def _holes_boundary(count: int) -> tuple[Array, Array, Array]:
    """Points of the boundary and the values of u − 1 there; by symmetry of a half of a side and of one disc."""
    angle = 2 * np.pi * np.arange(2 * count) / (2 * count)
    side = 0.25 * (1 - np.cos(np.pi * np.arange(count) / (count - 1)))
    x = np.concatenate([np.full(count, 0.5), CENTRE + RADIUS * np.cos(angle)])
    y = np.concatenate([side, CENTRE + RADIUS * np.sin(angle)])
    return x, y, np.concatenate([np.zeros(count), -np.ones(2 * count)])


@cache
def _holes_factors() -> Array:
    x, y, value = _holes_boundary(200)
    return _least_squares(_holes_basis(x, y), value)


def holes(x: Array, y: Array) -> Array:
    """The solution of Δu = 0 on [−½, ½]² without four discs, u = 1 outside, u = 0 on the discs."""
    return 1 + _holes_basis(np.asarray(x, float), np.asarray(y, float)) @ _holes_factors()


def holes_error() -> float:
    """The largest gap on the boundary, at other points than those of the least squares."""
    x, y, value = _holes_boundary(777)
    return float(np.abs(holes(x, y) - 1 - value).max())


# --- the L-shape ----------------------------------------------------------------------------------------------------


def _elbow_basis(z: Array) -> Array:
    """Harmonic functions: r^{2k/3} sin(2kθ/3) at the inner corner, w² log w at every corner, and polynomials.

    Of −Δu = 1 every corner makes a multiple of the imaginary part of w² log w, for its angle is a multiple of π/2.
    """
    angle = np.angle(z * np.exp(-0.75j * np.pi)) + 0.75 * np.pi
    power = np.arange(1, FRACTIONAL + 1) * 2 / 3
    scaled = np.abs(z)[:, None] / np.sqrt(2)
    columns = [scaled**power * np.sin(angle[:, None] * power)]
    for corner in (0j, *OUTER):
        w = z - corner
        # the cut of the logarithm leads out of the region
        outward = corner / abs(corner) if corner else np.exp(-0.25j * np.pi)
        if corner in (1 + 0j, -1j):
            outward = 1 - 1j
        turned = -w / (outward / abs(outward))
        with np.errstate(divide="ignore", invalid="ignore"):
            both = np.where(w == 0, 0, w * w * np.log(turned))
        columns.append(np.stack([both.real, both.imag], 1))
    centred = (z + 0.25 - 0.25j) / 1.8
    powers = centred[:, None] ** np.arange(SMOOTH + 1)
    columns += [powers.real, powers.imag[:, 1:]]
    return np.concatenate(columns, 1)


def _elbow_boundary(count: int) -> Array:
    corners = [0j, *OUTER, 0j]
    s = (1 - np.cos(np.pi * (np.arange(count) + 0.5) / count)) / 2
    # denser still towards the corners, where the singular functions vary
    s = s * s * (3 - 2 * s)
    return np.concatenate([a + (b - a) * s for a, b in pairwise(corners)])


@cache
def _elbow_factors() -> Array:
    z = _elbow_boundary(250)
    return _least_squares(_elbow_basis(z), np.abs(z) ** 2 / 4)


def elbow(x: Array, y: Array) -> Array:
    """The solution of −Δu = 1 on the L-shape, u = 0 on its boundary."""
    z = np.asarray(x, float) + 1j * np.asarray(y, float)
    return _elbow_basis(z) @ _elbow_factors() - np.abs(z) ** 2 / 4


def elbow_error() -> float:
    """The largest gap on the boundary, at other points than those of the least squares."""
    z = _elbow_boundary(991)
    return float(np.abs(elbow(z.real, z.imag)).max())


def mean_value_gap(
    function: Callable[[Array, Array], Array], x: Array, y: Array, source: float, inside: Array
) -> float:
    """The largest gap in the mean value property of −Δu = f, mean over a circle − u = −f r²/4, at points inside.

    It shows that the functions satisfy the equation all over the region, and have no cut in it.

    Args:
        function: u.
        x: Coordinates of the points.
        y: Coordinates of the points.
        source: f.
        inside: Which points are further from the boundary than four radii r, 0.02.
    """
    x, y, radius = x[inside][::7], y[inside][::7], 0.005
    circle = [function(x + radius * np.cos(a), y + radius * np.sin(a)) for a in np.arange(24) * np.pi / 12]
    return float(np.abs(np.mean(circle, 0) - function(x, y) + source * radius**2 / 4).max())


def _least_squares(matrix: Array, value: Array) -> Array:
    """The factors of columns, which are scaled to one size before."""
    scale = np.abs(matrix).max(0)
    return np.linalg.lstsq(matrix / scale, value, rcond=1e-15)[0] / scale
