"""Elementary functions of double-double numbers, to about 30 digits of the larger of 1 and the value.

Arguments are reduced to a neighbourhood of 0 where a short Taylor series holds; inverse functions are a Newton step
from the float64 value.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnlab.precision.arithmetic import (
    Pair,
    add,
    choose,
    divide,
    exactly,
    multiply,
    negative,
    scale,
    square_root,
    subtract,
)

# high and low parts, checked against mpmath in the tests
LN_2 = (0.6931471805599453, 2.3190468138462996e-17)
HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33)
TWO_OVER_ROOT_PI = (1.1283791670955126, 1.533545961316588e-17)

# exp overflows beyond; sinh and cosh alike
_LARGEST = 709.0


def _constant(parts: tuple[float, ...], like: Tensor) -> Pair:
    return torch.full_like(like, parts[0]), torch.full_like(like, parts[1])


def _one(like: Tensor) -> Pair:
    return exactly(torch.ones_like(like))


def _clamped(x: Pair, bound: float) -> Pair:
    return choose(x[0].abs() > bound, exactly(x[0].clamp(-bound, bound)), x)


def _series(z: Pair, first: int, step: int, terms: int, sign: int) -> Pair:
    """Horner's scheme of Σ_{i < terms} (sign)^i z^i (first)! / (first + step·i)!."""
    result = _one(z[0])
    for i in range(terms - 1, 0, -1):
        n = first + step * i
        divisor = math.prod(range(n - step + 1, n + 1))
        part = divide(multiply(z, result), exactly(torch.full_like(z[0], float(divisor))))
        result = add(_one(z[0]), part if sign > 0 else negative(part))
    return result


def _exponential(x: Pair) -> tuple[Pair, Tensor]:
    """The pair (exp(r) − 1, k) with x = k ln 2 + r, |r| ≤ ln 2 / 2."""
    x = _clamped(x, _LARGEST)
    k = torch.round(x[0] / LN_2[0])
    r = subtract(x, multiply(exactly(k), _constant(LN_2, k)))
    small = scale(r, 2.0**-6)
    p = multiply(small, _series(small, 1, 1, 12, 1))
    for _ in range(6):
        p = add(scale(p, 2.0), multiply(p, p))  # (1 + p)² − 1
    return p, k


def _power_of_two(k: Tensor) -> Tensor:
    return torch.ldexp(torch.ones_like(k), k)


def exp(x: Pair) -> Pair:
    """The exponential function."""
    p, k = _exponential(x)
    return scale(add(p, _one(k)), _power_of_two(k))


def expm1(x: Pair) -> Pair:
    """The exponential function minus 1, to all digits near 0."""
    p, k = _exponential(x)
    return choose(k == 0, p, subtract(scale(add(p, _one(k)), _power_of_two(k)), _one(k)))


def log(x: Pair) -> Pair:
    """The natural logarithm."""
    y = exactly(x[0].log())
    return add(y, subtract(multiply(x, exp(negative(y))), _one(x[0])))


def log1p(x: Pair) -> Pair:
    """The logarithm of 1 + x."""
    return log(add(_one(x[0]), x))


def _sine_and_cosine(x: Pair) -> tuple[Pair, Pair]:
    k = torch.round(x[0] / HALF_PI[0])
    r = subtract(x, multiply(exactly(k), _constant(HALF_PI, k)))
    r = subtract(r, exactly(k * HALF_PI[2]))
    square = multiply(r, r)
    s, c = multiply(r, _series(square, 1, 2, 15, -1)), _series(square, 0, 2, 15, -1)
    quadrant = torch.remainder(k, 4)
    odd = torch.remainder(k, 2) == 1
    sine, cosine = choose(odd, c, s), choose(odd, s, c)
    return (
        choose(quadrant >= 2, negative(sine), sine),
        choose((quadrant == 1) | (quadrant == 2), negative(cosine), cosine),
    )


def sin(x: Pair) -> Pair:
    """The sine."""
    return _sine_and_cosine(x)[0]


def cos(x: Pair) -> Pair:
    """The cosine."""
    return _sine_and_cosine(x)[1]


def tan(x: Pair) -> Pair:
    """The tangent."""
    return divide(*_sine_and_cosine(x))


def atan(x: Pair) -> Pair:
    """The inverse tangent: a Newton step by tan(y − y₀) = (x cos y₀ − sin y₀) / (cos y₀ + x sin y₀)."""
    y = exactly(x[0].atan())
    s, c = _sine_and_cosine(y)
    return add(y, divide(subtract(multiply(x, c), s), add(c, multiply(x, s))))


def atan2(y: Pair, x: Pair) -> Pair:
    """The angle of the point (x, y): that of the rounded one, corrected in axes that are turned by it."""
    angle = exactly(torch.atan2(y[0], x[0]))
    s, c = _sine_and_cosine(angle)
    aside, ahead = subtract(multiply(c, y), multiply(s, x)), add(multiply(c, x), multiply(s, y))
    return add(angle, atan(divide(aside, ahead)))


def sinh(x: Pair) -> Pair:
    """The hyperbolic sine, e = exp(|x|) − 1: sign(x) (e + e / (1 + e)) / 2."""
    e = expm1(absolute(x))
    return scale(add(e, divide(e, add(_one(e[0]), e))), 0.5 * x[0].sign())


def cosh(x: Pair) -> Pair:
    """The hyperbolic cosine."""
    e = exp(x)
    return scale(add(e, divide(_one(e[0]), e)), 0.5)


def tanh(x: Pair) -> Pair:
    """The hyperbolic tangent, e = exp(2x) − 1: e / (e + 2)."""
    e = expm1(scale(_clamped(x, _LARGEST / 4), 2.0))
    return divide(e, add(e, scale(_one(e[0]), 2.0)))


def sigmoid(x: Pair) -> Pair:
    """The logistic function 1 / (1 + exp(−x))."""
    one = _one(x[0])
    return divide(one, add(one, exp(negative(x))))


def logaddexp(x: Pair, y: Pair) -> Pair:
    """The logarithm of exp(x) + exp(y)."""
    largest, least = choose(x[0] >= y[0], x, y), choose(x[0] >= y[0], y, x)
    return add(largest, log1p(exp(subtract(least, largest))))


def erf(x: Pair) -> Pair:
    """The error function 2/√π exp(−x²) Σ_n 2ⁿ x^{2n+1} / (2n+1)!!, a sum of terms of one sign."""
    x = _clamped(x, 8.6)  # 1 to 32 digits beyond
    square = multiply(x, x)
    term, result, n = x, x, 0
    while bool((term[0].abs() > 1e-33 * result[0].abs()).any()):
        n += 1
        term = divide(multiply(term, scale(square, 2.0)), exactly(torch.full_like(x[0], 2.0 * n + 1)))
        result = add(result, term)
    factor = multiply(_constant(TWO_OVER_ROOT_PI, x[0]), exp(negative(square)))
    return multiply(factor, result)


def ndtr(x: Pair) -> Pair:
    """The distribution function of the normal distribution, (1 + erf(x/√2)) / 2."""
    half = exactly(torch.full_like(x[0], 0.5))
    return scale(add(_one(x[0]), erf(multiply(x, square_root(half)))), 0.5)


def power(x: Pair, exponent: float) -> Pair:
    """The power by repeated squaring for whole exponents, by the logarithm for others; x ≥ 0 then."""
    if exponent < 0:
        return divide(_one(x[0]), power(x, -exponent))
    if exponent == 0.5:
        return square_root(x)
    if not float(exponent).is_integer():
        positive = choose(x[0] > 0, x, _one(x[0]))
        value = exp(multiply(exactly(torch.full_like(x[0], exponent)), log(positive)))
        zero = exactly(torch.zeros_like(x[0]))
        return choose(x[0] > 0, value, choose(x[0] == 0, zero, exactly(torch.full_like(x[0], math.nan))))
    result, base, rest = _one(x[0]), x, int(exponent)
    while rest:
        if rest % 2:
            result = multiply(result, base)
        base, rest = multiply(base, base), rest // 2
    return result


def absolute(x: Pair) -> Pair:
    """The absolute value."""
    return choose((x[0] < 0) | ((x[0] == 0) & (x[1] < 0)), negative(x), x)
