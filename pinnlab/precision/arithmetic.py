"""Double-double arithmetic on pairs of float64 tensors: an unevaluated sum hi + lo with |lo| ≤ ulp(hi)/2.

About 106 bits, or 32 digits. The algorithms are error-free transformations: Knuth's two-sum and Dekker's product
(1971) for numbers, and for matrix products the splitting of Ozaki, Ogita, Oishi & Rump (2012), by which float64 matrix
products are exact. Operations broadcast.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]
"""High and low part, of one shape and dtype float64."""

_SPLITTER = float(2**27 + 1)
_SLICES = 5


def two_sum(a: Tensor, b: Tensor) -> Pair:
    """The rounded sum of two float64 numbers, and its rounding error."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


def normal(hi: Tensor, lo: Tensor) -> Pair:
    """The same sum with |lo| ≤ ulp(hi)/2, where |lo| ≤ |hi|."""
    s = hi + lo
    return s, lo - (s - hi)


def two_product(a: Tensor, b: Tensor) -> Pair:
    """The rounded product of two float64 numbers, and its rounding error."""
    p = a * b
    (ah, al), (bh, bl) = _halves(a), _halves(b)
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def _halves(a: Tensor) -> Pair:
    c = _SPLITTER * a
    high = c - (c - a)
    return high, a - high


def negative(a: Pair) -> Pair:
    """Negative −a."""
    return -a[0], -a[1]


def add(a: Pair, b: Pair) -> Pair:
    """Sum a + b."""
    s, e = two_sum(a[0], b[0])
    t, f = two_sum(a[1], b[1])
    s, e = normal(s, e + t)
    return normal(s, e + f)


def subtract(a: Pair, b: Pair) -> Pair:
    """Difference a − b."""
    return add(a, negative(b))


def multiply(a: Pair, b: Pair) -> Pair:
    """Product a · b."""
    p, e = two_product(a[0], b[0])
    return normal(p, e + (a[0] * b[1] + a[1] * b[0]))


def scale(a: Pair, power: Tensor | float) -> Pair:
    """Multiple of a by a power of two, exact."""
    return a[0] * power, a[1] * power


def divide(a: Pair, b: Pair) -> Pair:
    """Quotient a / b: the sum of three float64 quotients, the later two of the remainders."""
    q = a[0] / b[0]
    rest = subtract(a, multiply(b, exactly(q)))
    r = rest[0] / b[0]
    rest = subtract(rest, multiply(b, exactly(r)))
    q, r = normal(q, r)
    return add((q, r), exactly(rest[0] / b[0]))


def square_root(a: Pair) -> Pair:
    """Root √a by a Newton step from the float64 root; 0 at 0."""
    root = a[0].sqrt()
    rest = subtract(a, multiply(exactly(root), exactly(root)))
    return normal(root, torch.where(root == 0, 0.0, rest[0] / (2 * root)))


def exactly(a: Tensor) -> Pair:
    """A float64 tensor as a pair."""
    return a, torch.zeros_like(a)


def choose(condition: Tensor, a: Pair, b: Pair) -> Pair:
    """Entries of a where the condition holds, of b elsewhere."""
    return torch.where(condition, a[0], b[0]), torch.where(condition, a[1], b[1])


def total(a: Pair, dim: int) -> Pair:
    """The sum along a dimension, by halves."""
    hi, lo = (part.movedim(dim, 0) for part in a)
    if len(hi) == 0:
        return hi.sum(0), lo.sum(0)
    while len(hi) > 1:
        half = len(hi) // 2
        left, right = (hi[:half], lo[:half]), (hi[half : 2 * half], lo[half : 2 * half])
        rest = (hi[2 * half :], lo[2 * half :])
        hi, lo = (torch.cat(parts) for parts in zip(add(left, right), rest, strict=True))
    return hi[0], lo[0]


def matrix_product(a: Pair, b: Pair) -> Pair:
    """The matrix product of `(..., M, L)` and `(..., L, P)`, to 106 bits of the largest products in a sum.

    Rows of a and columns of b are split into slices of so few bits that the matrix products of slices are exact.
    """
    length = a[0].shape[-1]
    bits = (53 - math.ceil(math.log2(max(length, 2)))) // 2
    left, right = _slices(a, bits, -1), _slices(b, bits, -2)
    shape = torch.broadcast_shapes(a[0].shape[:-2], b[0].shape[:-2])
    zero = a[0].new_zeros(*shape, a[0].shape[-2], b[0].shape[-1])
    # two tensors, for these are the two parts of the result if a or b is zero
    result = (zero, zero.clone())
    # the small products first, so that their digits are not lost
    pairs = sorted(((p, q) for p in range(len(left)) for q in range(len(right)) if p + q < _SLICES), key=sum)
    for p, q in reversed(pairs):
        result = add(result, exactly(left[p] @ right[q]))
    return result


def _slices(a: Pair, bits: int, dim: int) -> list[Tensor]:
    """Tensors that add up to a, each of so many bits at most relative to the largest entry along `dim`."""
    hi, lo = a
    slices: list[Tensor] = []
    while len(slices) < _SLICES and bool((hi != 0).any()):
        _, exponent = torch.frexp(hi.abs().amax(dim, keepdim=True))
        # adding and subtracting this number rounds to the leading bits
        rounder = torch.ldexp(torch.ones_like(exponent, dtype=hi.dtype), exponent + 53 - bits)
        head = (hi + rounder) - rounder
        slices.append(head)
        hi, lo = two_sum(hi - head, lo)
    return slices
