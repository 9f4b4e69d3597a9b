"""Faà di Bruno's formula as the paper states it: derivatives of σ(u) as a sum over integer partitions.

With m(p) parts in the partition p of n, p_j of them equal to j (Chickering 2024, arXiv 2412.09752),

    ∂ⁿ σ(u) = Σ_p n! / Π_j (p_j! j!^{p_j}) · σ^{(m(p))}(u) · Π_j (∂^j u)^{p_j}.

In several variables the sum runs over the partitions of a multi-index into a multiset of non-zero multi-indices. For
coefficients ∂^α u / α! the factor becomes m! / Π p_β!, with σ^{(m)} / m! in place of σ^{(m)}. The number of
partitions grows exponentially in √n: this is the paper's algorithm taken literally, and the slow obvious reference of
the series recurrence.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor

from pinnlab.jets.functions.elementary import Elementary
from pinnlab.jets.functions.recurrence import recurrence
from pinnlab.jets.series.algebra import Algebra, IndexSet, MultiIndex
from pinnlab.jets.series.product import pad

Partition = tuple[tuple[MultiIndex, int], ...]
"""A multiset of non-zero multi-indices: (β, multiplicity) pairs."""


def partitions(alpha: MultiIndex) -> Iterator[Partition]:
    """All multisets of non-zero multi-indices that sum to alpha; for one axis, the integer partitions."""
    yield from _partitions(alpha, tuple(_below(alpha)))


def _below(alpha: MultiIndex) -> Iterator[MultiIndex]:
    """The non-zero β ≤ α, in descending order."""
    boxes: list[MultiIndex] = [()]
    for a in alpha:
        boxes = [(*box, b) for box in boxes for b in range(a, -1, -1)]
    return (beta for beta in boxes if any(beta))


def _partitions(rest: MultiIndex, parts: tuple[MultiIndex, ...]) -> Iterator[Partition]:
    if not any(rest):
        yield ()
        return
    for position, beta in enumerate(parts):
        for count in range(1, min(r // b for r, b in zip(rest, beta, strict=True) if b) + 1):
            left = tuple(r - count * b for r, b in zip(rest, beta, strict=True))
            for more in _partitions(left, parts[position + 1 :]):
                yield ((beta, count), *more)


@cache
def _terms(algebra: Algebra, k: int) -> tuple[tuple[int, int, tuple[tuple[int, int], ...]], ...]:
    """For element k: (order m of σ, factor m!/Π p_β!, (position of β, p_β) pairs) of every partition."""
    if isinstance(algebra, IndexSet):
        found = [
            tuple((algebra.position[beta], count) for beta, count in partition)
            for partition in partitions(algebra.indices[k])
        ]
    else:
        found = [tuple(Counter(parts).items()) for parts in _multisets(algebra, k, len(algebra))]
    terms = []
    for parts in found:
        m = sum(count for _, count in parts)
        terms.append((m, math.factorial(m) // math.prod(math.factorial(count) for _, count in parts), parts))
    return tuple(terms)


def _multisets(algebra: Algebra, k: int, largest: int) -> Iterator[tuple[int, ...]]:
    """The multisets of elements 1 ≤ i ≤ `largest` whose product is element k."""
    for i, j in algebra.factors[k]:
        if 0 < i <= largest:
            if j == 0:
                yield (i,)
            else:
                yield from ((i, *rest) for rest in _multisets(algebra, j, i))


def faa_di_bruno(function: Elementary, x: Tensor, algebra: Algebra) -> Tensor:
    """The coefficients of σ(x) by the sum over partitions; a `Composition` like `recurrence`, exponential in √n.

    Args:
        function: σ and its differential system, which gives σ^{(m)} at the values.
        x: Coefficients ∂^α u / α!, `(K, ...)`.
        algebra: The index set of K multi-indices. Over another algebra the partitions of a basis element are the
            multisets of elements whose product it is.

    Returns:
        The coefficients, `(K, ...)`.

    Example:
        >>> import torch
        >>> from pinnlab.jets import IndexSet
        >>> from pinnlab.jets.functions.faa_di_bruno import faa_di_bruno
        >>> from pinnlab.jets.functions.table import EXP
        >>> faa_di_bruno(EXP, torch.tensor([0.0, 1.0, 0.0]), IndexSet.simplex(1, 2))  # 1 + x + x²/2
        tensor([1.0000, 1.0000, 0.5000])
    """
    x = pad(x, len(algebra))
    order = algebra.order
    seed = torch.stack([x[0], torch.ones_like(x[0])] + [torch.zeros_like(x[0])] * (order - 1)) if order else x
    outer = recurrence(function, seed, IndexSet.simplex(1, order))
    coefficients = [outer[0]]
    for k in range(1, len(algebra)):
        total = torch.zeros_like(x[0])
        for m, factor, parts in _terms(algebra, k):
            term = factor * outer[m]
            for position, count in parts:
                term = term * x[position] ** count
            total = total + term
        coefficients.append(total)
    return torch.stack(coefficients)
