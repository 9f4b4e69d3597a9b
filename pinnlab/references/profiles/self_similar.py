"""Self-similar profiles on the line with a Hilbert transform, by Newton's method on a grid in s = log y.

The vorticity Ω is odd, so that y > 0 is enough. In s = log y it decays like e^{γs} to the left and like e^{−αs} to the
right, and is analytic in a strip, so that trapezoidal sums and sinc differentiation converge exponentially, however
slow the decay in y is. With y = e^s, y' = e^{s'} the operators are

    HΩ(y) = (2/π) ∫ Ω(y') y'² / (y² − y'²) ds'  by the nodes of the other parity,
    M = U/y, where U' = HΩ: M + dM/ds = HΩ, with M(0) = HΩ(0) = −(2/π) ∫ Ω ds'.

For every exponent λ in a range there is a profile, but it starts like y^γ: smooth ones, γ = 1, are the rungs of a
ladder. `follow` goes along λ and finds where a function of HΩ(0) and λ, which is 0 for γ = 1, changes its sign. The
crest of the profile becomes narrow on the way, so that the nodes of each grid are clustered at the crest before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Equations = Callable[[Array, complex], Array]
"""Rows `(m, N)` from Q `(m, 4, N)`, the values f, y f', H f and (1/y) ∫ H f of the m functions, and λ, at each y > 0.

It is evaluated with complex numbers too, for its derivatives.
"""
Smooth = Callable[[complex, complex], complex]
"""A function of HΩ(0) and λ that is 0 if the profile is smooth at the origin."""
Nodes = tuple[float, float, float]
"""The spacing, the least and the largest s of a grid."""


class LogGrid:
    """Nodes s = log y, denser near a point where it is asked for, and the operators as matrices.

    With a crest the spacing is proportional to 1/(1 + 1/√((s − c)² + w²)). The strip where a profile is analytic in the
    stretched coordinate is then about π/2 wide, as it is in s without a crest, if the poles are no nearer to c than w.

    Attributes:
        s: The nodes, `(N,)`.
        y: e^s.
        operators: I, y d/dy, H and Ω ↦ U/y, `(4, N, N)`.
        centre: The row that gives HΩ(0) from Ω, `(N,)`.
    """

    def __init__(
        self, spacing: float, low: float = -20.0, high: float = 45.0, crest: tuple[float, float] | None = None
    ) -> None:
        """Sets the spacing in the stretched coordinate, the ends in s, and the (c, w) of a crest."""
        self.spacing, self.crest = spacing, crest
        start, end = self._stretched(np.array([low, high]))[0]
        self.x = start + spacing * np.arange(int((end - start) / spacing) + 1)
        self.s = self._inverse(low, high)
        slope = self._stretched(self.s)[1]
        self.y = np.exp(self.s)
        count = len(self.s)
        order = np.arange(count)
        gap = order[:, None] - order
        off = np.where(gap == 0, 1, gap)
        difference = np.where(gap == 0, 0.0, (-1.0) ** gap / (spacing * off)) * slope[:, None]
        distance = np.where(gap == 0, 1.0, 2 * (self.s[:, None] - self.s))
        weight = 4 / np.pi * spacing / slope
        with np.errstate(over="ignore"):
            hilbert = np.where(gap % 2 == 1, weight / np.expm1(distance), 0.0)
        self.centre = -weight / 2
        # HΩ goes to a constant at the left, and the constant's part of M is arctan(y)/y times it
        constant, mean = 1 / (1 + self.y**2), np.arctan(self.y) / self.y
        rest = np.linalg.solve(np.eye(count) + difference, hilbert - np.outer(constant, self.centre))
        self.operators = np.stack([np.eye(count), difference, hilbert, rest + np.outer(mean, self.centre)])

    def _stretched(self, s: Array) -> tuple[Array, Array]:
        """The coordinate with even nodes, and its slope."""
        if self.crest is None:
            return s, np.ones_like(s)
        c, w = self.crest
        return s + np.arcsinh((s - c) / w), 1 + 1 / np.hypot(s - c, w)

    def _inverse(self, low: float, high: float) -> Array:
        below, above = np.full_like(self.x, low - 1), np.full_like(self.x, high + 1)
        for _ in range(60):
            middle = (below + above) / 2
            left = self._stretched(middle)[0] < self.x
            below, above = np.where(left, middle, below), np.where(left, above, middle)
        return (below + above) / 2

    def at(self, values: Array, s: Array) -> Array:
        """Functions `(m, N)` at other s, by their sinc series; proportional to y at the left of the nodes."""
        inside = np.clip(s, self.s[0], self.s[-1])
        x = self._stretched(inside)[0]
        result = values @ np.sinc((x[None] - self.x[:, None]) / self.spacing)
        return np.where(s < self.s[0], values[:, :1] * np.exp(s - self.s[0]), result)


@dataclass(frozen=True)
class Profile:
    """A profile: its functions on the nodes of a grid.

    Attributes:
        grid: The grid.
        values: The functions, `(m, N)`; the first is Ω.
        lam: λ.
    """

    grid: LogGrid
    values: Array
    lam: float

    @property
    def centre(self) -> float:
        """HΩ(0)."""
        return float(self.grid.centre @ self.values[0])

    @property
    def crest(self) -> tuple[float, float]:
        """The s of the largest |Ω|, from a parabola, and half of the width at half of that height."""
        s, height = self.grid.s, np.abs(self.values[0])
        top = int(np.argmax(height))
        a, b, _ = np.polyfit(s[top - 1 : top + 2] - s[top], height[top - 1 : top + 2], 2)
        high = np.flatnonzero(height > height[top] / 2)
        first, last = int(high[0]), int(high[-1])
        left = np.interp(height[top] / 2, height[first - 1 : first + 1], s[first - 1 : first + 1])
        right = np.interp(-height[top] / 2, -height[last : last + 2], s[last : last + 2])
        return float(s[top] - b / (2 * a)), float(right - left) / 2

    def clustered(self, nodes: Nodes) -> LogGrid:
        """A grid with its nodes clustered at the crest, and enough of them for a crest half as wide."""
        centre, width = self.crest
        return LogGrid(*nodes, (centre, width / 2))

    @property
    def slope(self) -> float:
        """Ω'(0) of a smooth profile, from Ω/y = Ω'(0) + … y² + … y⁴ + … at nodes near the origin."""
        near = (self.grid.s > -6) & (self.grid.s < -2.5)
        y = self.grid.y[near]
        powers = np.stack([y**k for k in (0, 2, 4, 6)], 1)
        return float(np.linalg.lstsq(powers, self.values[0, near] / y, rcond=None)[0][0])

    def __call__(self, y: Array) -> Array:
        """The functions and then U/y at y > 0, `(m + 1, …)`."""
        speed = self.grid.operators[3] @ self.values[0]
        s = np.log(y)
        found = self.grid.at(self.values, s)
        decaying = speed - self.centre * np.arctan(self.grid.y) / self.grid.y
        rest = np.where(s < self.grid.s[0], 0.0, self.grid.at(decaying[None], s)[0])
        return np.concatenate([found, [rest + self.centre * np.arctan(y) / y]])


def solve(
    equations: Equations, guess: Profile, grid: LogGrid, smooth: Smooth | None = None, pin: float = -3.0, row: int = 0
) -> Profile:
    """The profile near a guess, for the λ of the guess, or with λ such that it is smooth.

    The equations are invariant under y → κy. Ω keeps the value of the guess at one node, in place of an equation at
    the leftmost node, where all terms have decayed.

    Args:
        equations: The rows.
        guess: Where Newton's method begins; on any grid.
        grid: The grid.
        smooth: The condition for λ; None keeps λ.
        pin: The s of the node where Ω is held.
        row: The function whose equation is left out at the leftmost node.

    Raises:
        RuntimeError: if Newton's method does not converge.
    """
    m, count = len(guess.values), len(grid.s)
    values = guess.values if grid is guess.grid else guess.grid.at(guess.values, grid.s)
    lam, node = guess.lam, int(np.argmin(np.abs(grid.s - pin)))
    held, smallest, free, out = values[0, node], np.inf, smooth is not None, row * count
    for _ in range(25):
        q = np.einsum("kij,mj->mki", grid.operators, values)
        matrix = np.zeros((m * count + free, m * count + free))
        right = np.zeros(m * count + free)
        right[: m * count] = equations(q, lam).ravel()
        for j in range(m):
            for k in range(4):
                moved = q.astype(complex)
                moved[j, k] += 1e-30j
                slopes = equations(moved, lam).imag / 1e-30
                for i in range(m):
                    if slopes[i].any():
                        block = slopes[i][:, None] * grid.operators[k]
                        matrix[i * count : (i + 1) * count, j * count : (j + 1) * count] += block
        if smooth is not None:
            centre = grid.centre @ values[0]
            matrix[: m * count, -1] = equations(q.astype(complex), lam + 1e-30j).imag.ravel() / 1e-30
            right[-1] = smooth(centre, lam).real
            matrix[-1, :count] = smooth(centre + 1e-30j, lam).imag / 1e-30 * grid.centre
            matrix[-1, -1] = smooth(centre, lam + 1e-30j).imag / 1e-30
        matrix[out], right[out] = 0.0, values[0, node] / held - 1
        matrix[out, node] = 1 / held
        step = np.linalg.solve(matrix, -right)
        size = float(np.abs(step).max())
        step *= min(1.0, 0.5 / size)
        values = values + step[: m * count].reshape(m, count)
        lam += float(step[-1]) if free else 0.0
        if size < 1e-6 and (size > smallest / 4 or size < 1e-12):
            return Profile(grid, values, lam)
        smallest = size
    raise RuntimeError(f"Newton's method does not converge near lambda = {lam:.4g} (last step {size:.1g})")


def follow(
    equations: Equations, smooth: Smooth, first: Profile, lams: Iterable[float], nodes: Nodes
) -> Iterator[Profile]:
    """Smooth profiles on the branch of a first one, in the order in which the given λ pass them; the first is left out.

    The guess for each λ is the straight line through the two profiles before, with their crests at the same place.

    Args:
        equations: The rows.
        smooth: The condition of smoothness.
        first: A smooth profile.
        lams: Where to solve in between, from the λ of the first one away.
        nodes: The grids, each of which is clustered at the crest of the profile before.

    Raises:
        RuntimeError: if Newton's method does not converge for one of the λ, which may be too far apart.
    """
    before, here, value = first, first, 0.0
    for lam in lams:
        grid = here.clustered(nodes)
        guess = here.grid.at(here.values, grid.s)
        if before is not here:
            moved = before.grid.at(before.values, grid.s + before.crest[0] - here.crest[0])
            guess = guess + (guess - moved) * (lam - here.lam) / (here.lam - before.lam)
        before, here = here, solve(equations, Profile(grid, guess, lam), grid, pin=_pin(here))
        last, value = value, float(np.real(smooth(here.centre, lam)))
        if last * value < 0:
            yield smoothed(equations, smooth, here, nodes)


def smoothed(equations: Equations, smooth: Smooth, guess: Profile, nodes: Nodes) -> Profile:
    """The smooth profile near a guess, on a grid clustered at the crest of the guess; arguments as in `follow`."""
    return solve(equations, guess, guess.clustered(nodes), smooth, pin=_pin(guess))


def _pin(profile: Profile) -> float:
    """Left of the crest, where Ω is steep: held there, it fixes the scale of y."""
    centre, width = profile.crest
    return centre - 2 * width
