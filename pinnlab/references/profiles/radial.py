"""Radial profiles on [0, ∞) by shooting from the centre and from infinity, to rounding.

A profile u(r) of a second-order equation is smooth at the centre r = 0, where the equation is singular, and has an
asymptotic series in 1/r² at infinity. Solutions that do one of both are found by marching: outwards from the centre,
and inwards from a large r where the series is exact to rounding. Newton's method finds the numbers for which they meet:
the value at the centre, the size at infinity, an exponent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pinnlab.references.initial_value import Array, Piecewise, Right, march


@dataclass(frozen=True)
class Series:
    """The asymptotic series r^{−p} (c₀ + c₁ r^{−2} + …), summed up to its smallest term.

    Attributes:
        power: p, which may be complex.
        coefficients: The c_k, which may be complex.
    """

    power: complex
    coefficients: Array

    def terms(self, r: float) -> Array:
        """The terms c_k r^{−2k} up to the smallest."""
        found = self.coefficients * float(r) ** (-2.0 * np.arange(len(self.coefficients)))
        return found[: 2 + int(np.argmin(np.abs(found[1:])))]

    def at(self, r: float) -> tuple[Array, Array]:
        """The parts of u and of r u'; one, or real and imaginary part."""
        terms, k = self.terms(r), np.arange(len(self.coefficients))
        factor = float(r) ** -self.power
        return parts(factor * terms.sum()), parts(factor * (-(self.power + 2 * k[: len(terms)]) * terms).sum())


def parts(value: complex) -> Array:
    """A real number as it is, a complex one by its parts.

    Example:
        >>> parts(1 - 2j)
        array([ 1., -2.])
    """
    return np.array([value.real, value.imag] if isinstance(value, complex) else [value])


@dataclass(frozen=True)
class Radial:
    """An equation u'' + (n − 1) u'/r = g(r, u, r u'; x) for m functions u, with 2m numbers x to be found.

    Attributes:
        dimension: n.
        right: g, for r `(N,)`, u and r u' `(m, N)` and the numbers x; real-analytic.
        centre: u(0), `(m,)`, by x.
        series: That at infinity by x: of u, or of a complex function whose parts are u.
        first: The length of the first interval; the others grow by a quarter, up to
        step: the length of the longest.
        middle: The radius where both solutions meet.
        end: The radius where the series begins.
    """

    dimension: int
    right: Callable[[Array, Array, Array, Array], Array]
    centre: Callable[[Array], Array]
    series: Callable[[Array], Series]
    first: float
    step: float
    middle: float
    end: float

    def outwards(self, x: Array, end: float) -> Piecewise:
        """The solution that is smooth at the centre, up to a radius: the states u and s = u'/r."""
        u, zero = self.centre(x), np.zeros(1)
        s = self.right(zero, u[:, None], 0 * u[:, None], x)[:, 0] / self.dimension
        edges = [0.0]
        while edges[-1] < end:
            edges.append(edges[-1] + min(self.step, max(self.first, edges[-1] / 4)))
        edges[-1] = end
        return march(self._regular(x), np.concatenate([u, s]), np.array(edges))

    def inwards(self, x: Array) -> Piecewise:
        """The solution with the series at infinity down to the middle, as a function of −r."""
        u, slope = self.series(x).at(self.end)
        regular = self._regular(x)
        edges = np.linspace(-self.end, -self.middle, 1 + int(np.ceil((self.end - self.middle) / self.step)))
        return march(lambda t, y: -regular(-t, y), np.concatenate([u, slope / self.end**2]), edges)

    def gap(self, x: Array) -> Array:
        """The difference `(2m,)` of both solutions where they meet."""
        middle = np.array([self.middle])
        return (self.outwards(x, self.middle)(middle) - self.inwards(x)(-middle))[:, 0]

    def solve(self, guess: Array) -> Profile:
        """The profile near a guess of the numbers x, by Newton's method with difference quotients.

        Raises:
            RuntimeError: if Newton's method does not converge.
        """
        x = np.asarray(guess, float)
        smallest = np.inf
        for _ in range(40):
            here = self.gap(x)
            moves = 1e-7 * (np.abs(x) + 1e-3)
            slopes = [(self.gap(x + move * e) - here) / move for move, e in zip(moves, np.eye(len(x)), strict=True)]
            step = np.linalg.solve(np.stack(slopes, 1), -here)
            x = x + step
            size = float((np.abs(step) / (np.abs(x) + 1e-3)).max())
            if size < 1e-9 and (size < 1e-14 or size >= smallest / 4):
                return Profile(self, x, self.outwards(x, self.middle), self.inwards(x))
            smallest = min(size, smallest)
        raise RuntimeError(f"Newton's method does not converge from {guess}")

    def _regular(self, x: Array) -> Right:
        """The system u' = r s, s' = (g − n s)/r, whose right-hand side is 0 at the centre."""

        def right(r: Array, y: Array) -> Array:
            u, s = np.split(y, 2)
            gap = self.right(r, u, r * r * s, x) - self.dimension * s
            return np.concatenate([r * s, np.where(r == 0, 0, gap / np.where(r == 0, 1, r))])

        return right


@dataclass(frozen=True)
class Profile:
    """A profile that was found.

    Attributes:
        equation: Its equation.
        numbers: x.
        inner: u and u'/r up to the middle.
        outer: The same beyond, as functions of −r.
    """

    equation: Radial
    numbers: Array
    inner: Piecewise
    outer: Piecewise

    def __call__(self, r: Array) -> Array:
        """The m functions u at radii `(N,)` up to the end, `(m, N)`."""
        m = len(self.equation.centre(self.numbers))
        return np.where(r < self.equation.middle, self.inner(r)[:m], self.outer(-r)[:m])

    def compact(self, z: Array, length: float) -> Array:
        """F with u = z^{p/2} F in the coordinate z = 1/(1 + r²/ℓ²), `(m, N)`; the series where r is beyond the end."""
        z = np.clip(z, 0, 1)
        series, end = self.equation.series(self.numbers), self.equation.end
        square = np.where(z > 0, length**2 * (1 - z) / np.where(z > 0, z, 1), np.inf)
        near = square < end**2
        u = self(np.sqrt(np.where(near, square, 0.0)))
        values = u[0] + 1j * u[1] if len(u) > 1 else u[0]
        inside = values * np.where(z > 0, z, 1) ** (-series.power / 2)
        # r^{−p} = (z / (ℓ² (1 − z)))^{p/2}, and the same for each term
        rest = length**2 * np.where(near, 1, 1 - z)
        kept = series.coefficients[: len(series.terms(end))]
        beyond = np.polynomial.polynomial.polyval(np.where(near, 0, z) / rest, kept) * rest ** (-series.power / 2)
        found = np.where(near, inside, beyond)
        return np.stack([found.real, found.imag]) if len(u) > 1 else found[None]
