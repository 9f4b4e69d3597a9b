"""Product tables as few array operations: runs of consecutive coefficients instead of single products.

A sum over triples (l, r, t), out_t += left_l · right_r, is covered by runs: one factor is a single coefficient
and the other advances together with the target. With the basis sorted by degree and then lexicographically (a monomial
order), multiplication by a basis element keeps neighbours together, so that runs are long: one per coefficient in
one variable. The number of array operations, and with it the Python work, then grows like the order and not like
its square.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import torch
from torch import Tensor

from pinnlab.jets.series.algebra import Algebra

Index = int | slice
Triple = tuple[int, int, int]
"""(left, right, target)."""
Runs = tuple[tuple[Index, Index, Index], ...]
"""(target, left, right) of every run: two of them advance together, and one factor is a single coefficient."""


Span = tuple[int, int, int, int]
"""(target, moving, fixed, length): where a run begins, and how long it is."""


def cover(triples: Iterable[Triple]) -> Runs:
    """Few runs that cover the triples, each exactly once: of either kind, or each triple by its longer one."""
    forward = list(triples)
    swapped = {triple: (triple[1], triple[0], triple[2]) for triple in forward}
    fixed_right, fixed_left = _cover(forward), _cover(list(swapped.values()))
    right, left = _lengths(fixed_right), _lengths(fixed_left)
    mixed = (
        _cover([triple for triple in forward if right[triple] >= left[swapped[triple]]]),
        _cover([swapped[triple] for triple in forward if right[triple] < left[swapped[triple]]]),
    )
    choices: tuple[tuple[list[Span], list[Span]], ...] = ((fixed_right, []), ([], fixed_left), mixed)
    by_right, by_left = min(choices, key=lambda choice: len(choice[0]) + len(choice[1]))
    return (
        *((_index(t, n), _index(m, n), f) for t, m, f, n in by_right),
        *((_index(t, n), f, _index(m, n)) for t, m, f, n in by_left),
    )


def _lengths(runs: list[Span]) -> dict[Triple, int]:
    return {(m + r, f, t + r): n for t, m, f, n in runs for r in range(n)}


def _index(start: int, length: int) -> Index:
    return start if length == 1 else slice(start, start + length)


def _cover(triples: list[Triple]) -> list[Span]:
    """Maximal runs (target, moving, fixed, length) with the second factor fixed."""
    runs: list[Span] = []
    for moving, fixed, target in sorted(triples, key=lambda triple: (triple[1], triple[0])):
        if runs:
            t, m, f, n = runs[-1]
            if f == fixed and m + n == moving and t + n == target:
                runs[-1] = (t, m, f, n + 1)
                continue
        runs.append((target, moving, fixed, 1))
    return runs


def accumulate(out: Tensor, left: Tensor, right: Tensor, runs: Runs, value: float = 1.0, fresh: bool = False) -> None:
    """Adds value · Σ left_l right_r over the runs to `out`, in place; writes it there if `fresh`."""
    if fresh:
        rows = out.shape[0]
        first = runs[0][0] if runs else 0
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


def _triples(algebra: Algebra, keep: Callable[[int, int, int], bool]) -> Iterable[Triple]:
    return ((i, j, k) for k, pairs in enumerate(algebra.factors) for i, j in pairs if keep(i, j, k))


@cache
def reach(algebra: Algebra, left: int, right: int) -> int:
    """How many leading coefficients a product of two series with so many leading coefficients has."""
    return 1 + max(k for _, _, k in _triples(algebra, lambda i, j, k: i < left and j < right))


@cache
def products(algebra: Algebra, left: int, right: int, rows: int) -> Runs:
    """Runs of product(a, b): out_k += a_i b_j for i < left, j < right, k < rows."""
    return cover(_triples(algebra, lambda i, j, k: i < left and j < right and k < rows))


@cache
def correlations(algebra: Algebra, left: int, right: int, rows: int) -> Runs:
    """Runs of correlate(c, b): out_i += c_k b_j for k < left, j < right, i < rows."""
    return cover((k, j, i) for i, j, k in _triples(algebra, lambda i, j, k: k < left and j < right and i < rows))


@cache
def squares(algebra: Algebra, left: int, rows: int) -> tuple[Runs, Runs, Runs]:
    """Runs of product(a, a): with the unit, of pairs 0 < i < j, which count twice, and of its diagonal i > 0."""
    within = list(_triples(algebra, lambda i, j, k: i <= j < left and k < rows))
    return (
        cover(t for t in within if t[0] == 0),
        cover(t for t in within if 0 < t[0] < t[1]),
        cover(t for t in within if 0 < t[0] == t[1]),
    )


def square(out: Tensor, a: Tensor, algebra: Algebra, value: float, fresh: bool) -> None:
    """Adds value · a² to `out`, in place; writes it there if `fresh`."""
    unit, twice, once = squares(algebra, a.shape[0], out.shape[0])
    accumulate(out, a, a, unit, 2 * value, fresh)
    out[0].addcmul_(a[0], a[0], value=-value)
    accumulate(out, a, a, twice, 2 * value)
    accumulate(out, a, a, once, value)


@cache
def slopes(rows: int) -> Runs:
    """The run of x_a p_0, a ≥ 1, onto coefficients that begin with the first."""
    return ((_index(0, rows - 1), _index(0, rows - 1), 0),) if rows > 1 else ()


@cache
def driven(algebra: Algebra, degree: int, rows: int) -> Runs:
    """Runs of the recurrence's step: out_k += x_a p_b with |a| ≥ 1, a < rows, and b of the given degree."""
    layer = algebra.layers[degree]
    return cover(_triples(algebra, lambda a, b, k: b in layer and 0 < a < rows))


@cache
def fresh_products(algebra: Algebra, degree: int, left: int, right: int) -> Runs:
    """Runs of the products that coefficients of the given degree add to those of lower ones; targets below the top."""
    d, top = algebra.degrees, algebra.order
    return cover(_triples(algebra, lambda i, j, k: max(d[i], d[j]) == degree and d[k] < top and i < left and j < right))


@cache
def fresh_squares(algebra: Algebra, degree: int, left: int) -> tuple[Runs, Runs]:
    """`fresh_products` for the product of a series with itself: pairs i < j, which count twice, and the diagonal."""
    d, top = algebra.degrees, algebra.order
    within = list(_triples(algebra, lambda i, j, k: i <= j < left and d[j] == degree and d[k] < top))
    return cover(t for t in within if t[0] < t[1]), cover(t for t in within if t[0] == t[1])
