"""Periodic problems in one dimension by Fourier series in space and ETDRK4 in time (Kassam & Trefethen 2005)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

Array = np.ndarray
WINDOW = 8
"""The number of stored times that a value at another time is interpolated from."""


@dataclass(frozen=True)
class Periodic:
    """u_t = L u + N(u) for outputs on one period, from a start.

    Attributes:
        linear: The symbol of L for wave numbers `(K + 1,)`, by output, `(m, K + 1)`.
        nonlinear: N at the values `(m, n)` on the grid and the wave numbers, as coefficients; the function that it is
            given takes values to coefficients.
        start: The values at t = 0, `(m, n)` at places `(n,)`.
        lower: The lower end of the period.
        period: The period.
        end: The last time.
        modes: K, the highest mode that is kept.
        grid: The number of grid points; more than (p + 1) K avoid aliasing in a product of p factors.
        steps: The number of time steps.
        snapshots: How many times are stored; a divisor of `steps`.
        coefficients: The coefficients of the start in closed form, where the grid's would alias.
    """

    linear: Callable[[Array], Array]
    nonlinear: Callable[[Array, Array, Callable[[Array], Array]], Array]
    start: Callable[[Array], Array]
    lower: float
    period: float
    end: float
    modes: int
    grid: int
    steps: int
    snapshots: int
    coefficients: Callable[[Array], Array] | None = None

    def at(self, t: Array, x: Array) -> Array:
        """The outputs `(m, N)` at times and places.

        At stored times the series is summed; at other times it is interpolated between eight of them, to 1e-10 (for
        Allen-Cahn from t = 0.02 on; before, at x = ±1, to 1e-4 for t < 0.002 and to 2e-6 then).
        """
        history = self.history
        t, x = np.asarray(t, float), np.asarray(x, float)
        found = np.empty((history.shape[1], len(t)))
        place = t / self.end * self.snapshots
        nearest = np.round(place).astype(int)
        hit = np.abs(place - nearest) < 1e-9 * self.snapshots
        places, which = np.unique(x[hit], return_inverse=True)
        waves = self._waves(places)
        for i in np.unique(nearest[hit]):
            rows = nearest[hit] == i
            values = self.start(places) if i == 0 else (history[i] @ waves).real
            found[:, np.flatnonzero(hit)[rows]] = values[:, which[rows]]
        for rows in np.array_split(np.flatnonzero(~hit), max(1, (~hit).sum() // 128)):
            first = np.clip(np.floor(place[rows]).astype(int) - WINDOW // 2 + 1, 0, self.snapshots - WINDOW + 1)
            weights = lagrange(place[rows] - first)
            series = sum(weights[:, j, None, None] * history[first + j] for j in range(WINDOW))
            found[:, rows] = np.einsum("nmk,kn->mn", series, self._waves(x[rows])).real
        return found

    def refined(self) -> Periodic:
        """The same with half of the modes and twice the steps, to compare with."""
        return replace(self, modes=self.modes // 2, grid=self.grid // 2, steps=2 * self.steps)

    def _waves(self, x: Array) -> Array:
        """The factors `(K + 1, N)` of the coefficients at places."""
        k = np.arange(self.modes + 1)[:, None]
        return np.where(k == 0, 1, 2) * np.exp(2j * np.pi * k * (x - self.lower) / self.period)

    @cached_property
    def history(self) -> Array:
        """The coefficients `(snapshots + 1, m, K + 1)` at the stored times; computed when it is first asked for."""
        k = np.arange(self.modes + 1)
        waves = 2 * np.pi * k / self.period
        to_values = lambda c: np.fft.irfft(c, self.grid, norm="forward")  # noqa: E731
        to_coefficients = lambda u: np.fft.rfft(u, norm="forward")[..., : self.modes + 1]  # noqa: E731
        linear, h = self.linear(waves), self.end / self.steps
        whole, half, q, f1, f2, f3 = coefficients(linear, h)
        places = self.lower + self.period * np.arange(self.grid) / self.grid

        def right(c: Array) -> Array:
            return self.nonlinear(to_values(c), waves, to_coefficients)

        state = self.coefficients(k) if self.coefficients else to_coefficients(self.start(places))
        found = [state]
        for step in range(1, self.steps + 1):
            r = right(state)
            a = half * state + q * r
            ra = right(a)
            b = half * state + q * ra
            rb = right(b)
            c = half * a + q * (2 * rb - r)
            state = whole * state + f1 * r + f2 * (ra + rb) + f3 * right(c)
            if step % (self.steps // self.snapshots) == 0:
                found.append(state)
        return np.stack(found)


def coefficients(linear: Array, h: float) -> tuple[Array, ...]:
    """Those of ETDRK4 for a step h, by means over circles around the eigenvalues."""
    circle = np.exp(2j * np.pi * (np.arange(64) + 0.5) / 64)
    z = h * linear[..., None] + circle
    e = np.exp(z)

    def mean(values: Array) -> Array:
        found = h * values.mean(-1)
        return found if np.iscomplexobj(linear) else found.real

    return (
        np.exp(h * linear),
        np.exp(h * linear / 2),
        mean((np.exp(z / 2) - 1) / z),
        mean((-4 - z + e * (4 - 3 * z + z * z)) / z**3),
        2 * mean((2 + z + e * (z - 2)) / z**3),
        mean((-4 - 3 * z - z * z + e * (4 - z)) / z**3),
    )


def lagrange(place: Array) -> Array:
    """The weights `(N, WINDOW)` of the values at 0, 1, … for a value at a place."""
    nodes = np.arange(WINDOW)
    weights = np.ones((len(place), WINDOW))
    for j in range(WINDOW):
        for other in nodes[nodes != j]:
            weights[:, j] *= (place - other) / (j - other)
    return weights
