"""Self-similar profiles of the nonlinear Schrödinger and the complex Ginzburg-Landau equation, by shooting.

(1 − iε)(Q'' + (d − 1) Q'/ξ) + iκξQ' + iκQ/σ − Q + |Q|^{2σ}Q = 0,  Q(0) = μ,  Q ~ γ ξ^{−1/σ − i/κ}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pinnlab.references.initial_value import Array
from pinnlab.references.profiles.radial import Profile, Radial, Series


def profile(
    dimension: int, sigma: float, start: Sequence[float], kappa: float | None = None, terms: int = 30
) -> Profile:
    """The profile near a guess, with the numbers (μ, κ, Re γ, Im γ); those of ε = 0.

    Args:
        dimension: d.
        sigma: σ.
        start: A guess of μ and κ, or with a given κ of μ and ε.
        kappa: A given κ; then ε is found in its place, and the numbers are (μ, ε, Re γ, Im γ).
        terms: Of the series at infinity.
    """

    def exponents(x: Array) -> tuple[float, float]:
        """κ and ε."""
        return (x[1], 0.0) if kappa is None else (kappa, x[1])

    def right(r: Array, u: Array, slope: Array, x: Array) -> Array:
        (f, g), (p, q) = u, slope
        k, epsilon = exponents(x)
        power = (f * f + g * g) ** sigma
        real = k * q + k / sigma * g + f - power * f
        imaginary = -k * p - k / sigma * f + g - power * g
        return np.stack([real - epsilon * imaginary, epsilon * real + imaginary]) / (1 + epsilon**2)

    def series(x: Array) -> Series:
        k, epsilon = exponents(x)
        return Series(1 / sigma + 1j / k, coefficients(k, epsilon, complex(x[2], x[3]), dimension, sigma, terms))

    guess = np.array([*start, 0.0, 0.0])
    k = exponents(guess)[0]
    # the smallest term of the series is about exp(−κ ξ²/2)
    end, matched = (80 / k) ** 0.5 + 4, (40 / k) ** 0.5
    equation = Radial(
        dimension, right, lambda x: np.array([x[0], 0.0]), series, first=0.3, step=min(1.0, 10 / (k * end)),
        middle=3.0, end=end,
    )  # fmt: skip
    values = equation.outwards(guess, matched)(np.array([matched]))[:2, 0]
    gamma = size(complex(*values), matched, lambda c: series(np.array([*guess[:2], c.real, c.imag])))
    return equation.solve(np.array([*guess[:2], gamma.real, gamma.imag]))


def size(value: complex, r: float, series: Callable[[complex], Series]) -> complex:
    """The γ for which the series has a value at a radius, by a fixed point iteration."""
    gamma = value * r ** series(value).power
    for _ in range(10):
        gamma *= value / complex(*series(gamma).at(r)[0])
    return gamma


def coefficients(kappa: float, epsilon: float, gamma: complex, dimension: int, sigma: float, count: int) -> Array:
    """The c_k of Q = Σ c_k ξ^{−p_k}, p_k = 1/σ + i/κ + 2k, c₀ = γ.

    2iκ (k + 1) c_{k+1} = (1 − iε) p_k (p_k + 2 − d) c_k + (|Q|^{2σ}Q)_k; the power of the series |Q|² is Miller's.
    """
    c = [gamma]
    for k in range(count):
        q = np.array(c)
        square = np.convolve(q, q.conj())[: k + 1]
        power = [square[0] ** sigma]
        for n in range(1, k + 1):
            j = np.arange(1, n + 1)
            power.append(((sigma * j - (n - j)) * square[j] * np.array(power)[n - j]).sum() / (n * square[0]))
        p = 1 / sigma + 1j / kappa + 2 * k
        linear = (1 - 1j * epsilon) * p * (p + 2 - dimension) * c[k]
        c.append((linear + np.convolve(power, q)[k]) / (2j * kappa * (k + 1)))
    return np.array(c)
