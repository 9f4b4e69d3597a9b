"""Sums of products of coefficients as few array operations: runs of consecutive products instead of single ones.

Every bilinear operation on series is a sum of terms, out_t += left_l · right_r. A run covers consecutive terms: one
factor is a single coefficient, and the other advances together with the target. The basis is sorted by degree and then
lexicographically (a monomial order), so that multiplication by a basis element keeps neighbours together and runs are
long: one for each coefficient in one variable. The number of array operations, and with it the Python work, then grows
like the order and not like its square.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from pinnlab.jets.series.algebra import Algebra

Index = int | slice


class Term(NamedTuple):
    """The positions of one product, out[target] += left[left] · right[right]."""

    target: int
    left: int
    right: int

    @property
    def swapped(self) -> Term:
        """The same product with the factors exchanged."""
        return Term(self.target, self.right, self.left)


class Run(NamedTuple):
    """The positions of consecutive products: the target and one factor are slices, or all three are single."""

    target: Index
    left: Index
    right: Index

    @staticmethod
    def of(terms: list[Term]) -> Run:
        """The run of consecutive terms."""
        return Run(*map(_span, zip(*terms, strict=True)))


Runs = tuple[Run, ...]


def _span(positions: tuple[int, ...]) -> Index:
    """One position, or consecutive ones as a slice."""
    first, last = positions[0], positions[-1]
    return first if first == last else slice(first, last + 1)


def cover(terms: Iterable[Term]) -> Runs:
    """Few runs that cover the terms, each exactly once.

    The left factor advances in all runs, or the right one does, or each term goes into the longer of its two runs:
    whichever needs the fewest runs.
    """
    terms = list(terms)
    by_left, by_right = _chains(terms), _chains([term.swapped for term in terms])
    length = {term: len(chain) for chain in by_left for term in chain}
    other = {term.swapped: len(chain) for chain in by_right for term in chain}
    mixed = (
        _chains([term for term in terms if length[term] >= other[term]]),
        _chains([term.swapped for term in terms if length[term] < other[term]]),
    )
    choices: tuple[tuple[list[list[Term]], list[list[Term]]], ...] = ((by_left, []), ([], by_right), mixed)
    forward, backward = min(choices, key=lambda choice: len(choice[0]) + len(choice[1]))
    return (*map(Run.of, forward), *(Run.of([term.swapped for term in chain]) for chain in backward))


def _chains(terms: list[Term]) -> list[list[Term]]:
    """The terms in maximal chains in which the left factor and the target advance and the right factor is fixed."""
    chains: list[list[Term]] = []
    for term in sorted(terms, key=lambda term: (term.right, term.left)):
        if chains:
            target, left, right = chains[-1][-1]
            if term == (target + 1, left + 1, right):
                chains[-1].append(term)
                continue
        chains.append([term])
    return chains


def accumulate(out: Tensor, left: Tensor, right: Tensor, runs: Runs, value: float = 1.0, fresh: bool = False) -> None:
    """Adds value · Σ left_l right_r over the runs to `out`, in place; writes the sum there if `fresh`."""
    if fresh:
        rows = out.shape[0]
        first = runs[0].target if runs else 0
        written = 0
        if runs and (first == 0 or (isinstance(first, slice) and first.start == 0)):
            t, i, j = runs[0]
            torch.mul(left[i], right[j], out=out[t])
            if value != 1:
                out[t].mul_(value)
            written = 1 if isinstance(t, int) else t.stop
            runs = runs[1:]
        if written < rows:
            out[written:].zero_()
    for t, i, j in runs:
        out[t].addcmul_(left[i], right[j], value=value)


def accumulate_square(out: Tensor, a: Tensor, algebra: Algebra, value: float, fresh: bool) -> None:
    """Adds value · a² to `out`, in place; writes it there if `fresh`."""
    unit, twice, once = square_runs(algebra, a.shape[0], out.shape[0])
    accumulate(out, a, a, unit, 2 * value, fresh)
    out[0].addcmul_(a[0], a[0], value=-value)
    accumulate(out, a, a, twice, 2 * value)
    accumulate(out, a, a, once, value)


def _terms(algebra: Algebra, keep: Callable[[Term], bool]) -> list[Term]:
    """The terms of the product of two series, out_k += a_i b_j for e_i e_j = e_k, that are to be kept."""
    every = (Term(k, i, j) for k, pairs in enumerate(algebra.factors) for i, j in pairs)
    return [term for term in every if keep(term)]


@cache
def reach(algebra: Algebra, left: int, right: int) -> int:
    """How many leading coefficients a product of two series with so many leading coefficients has."""
    return 1 + max(term.target for term in _terms(algebra, lambda t: t.left < left and t.right < right))


@cache
def product_runs(algebra: Algebra, left: int, right: int, rows: int) -> Runs:
    """Runs of product(a, b): out_k += a_i b_j for k < rows, i < left, j < right."""
    return cover(_terms(algebra, lambda t: t.target < rows and t.left < left and t.right < right))


@cache
def correlation_runs(algebra: Algebra, left: int, right: int, rows: int) -> Runs:
    """Runs of correlate(c, b): out_i += c_k b_j for i < rows, k < left, j < right."""
    within = _terms(algebra, lambda t: t.left < rows and t.target < left and t.right < right)
    return cover(Term(target=i, left=k, right=j) for k, i, j in within)


@cache
def square_runs(algebra: Algebra, left: int, rows: int) -> tuple[Runs, Runs, Runs]:
    """Runs of product(a, a): with the unit, of pairs 0 < i < j, which count twice, and of its diagonal i > 0."""
    within = _terms(algebra, lambda t: t.left <= t.right < left and t.target < rows)
    return (
        cover(term for term in within if term.left == 0),
        cover(term for term in within if 0 < term.left < term.right),
        cover(term for term in within if 0 < term.left == term.right),
    )


@cache
def value_runs(rows: int) -> Runs:
    """The run of the recurrence's first step, out_k += x_k p_0 for 1 ≤ k < rows, where both stacks begin with k = 1."""
    return (Run.of([Term(a, a, 0) for a in range(rows - 1)]),) if rows > 1 else ()


@cache
def recurrence_runs(algebra: Algebra, degree: int, rows: int) -> Runs:
    """Runs of the recurrence's step: out_k += x_a p_b with |a| ≥ 1, a < rows, and b of the given degree."""
    layer = algebra.layers[degree]
    return cover(_terms(algebra, lambda t: 0 < t.left < rows and t.right in layer))


@cache
def fresh_product_runs(algebra: Algebra, degree: int, left: int, right: int) -> Runs:
    """Runs of the products that coefficients of the given degree add to those of lower ones; targets below the top."""
    d = algebra.degrees
    within = _terms(algebra, lambda t: d[t.target] < algebra.order and t.left < left and t.right < right)
    return cover(term for term in within if max(d[term.left], d[term.right]) == degree)


@cache
def fresh_square_runs(algebra: Algebra, degree: int, left: int) -> tuple[Runs, Runs]:
    """`fresh_product_runs` for a square: the pairs i < j, which count twice, and the diagonal."""
    d = algebra.degrees
    within = _terms(algebra, lambda t: d[t.target] < algebra.order and t.left <= t.right < left)
    within = [term for term in within if d[term.right] == degree]
    return (
        cover(term for term in within if term.left < term.right),
        cover(term for term in within if term.left == term.right),
    )
