"""Products and recurrences of series as plain tensor expressions, term by term.

These are what a model that is exported consists of: `torch.export` traces them into a graph that needs no code
of pinnlab, for any number of points. They compute what `product` and `recurrence` do, without their speed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pinnlab.jets.series.algebra import Algebra


def product(a: Tensor, b: Tensor, algebra: Algebra) -> Tensor:
    """The truncated product of two series of shape `(A, ...)` and `(B, ...)`, A, B ≤ K; `(K, ...)`."""
    left, right = a.unbind(), b.unbind()
    zero = torch.zeros_like(left[0] * right[0])
    return torch.stack([_sum(_products(k, left, right, algebra), zero) for k in range(len(algebra))])


def recurrence(
    initial: Sequence[Tensor],
    system: Sequence[Mapping[tuple[int, ...], float]],
    x: Tensor,
    algebra: Algebra,
) -> Tensor:
    """The series s_1 with s_i' = P_i(x, s): |k| s_{i,k} = Σ_{e_a e_b = e_k} |a| x_a P_{i,b}, degree by degree.

    Args:
        initial: The values of all states.
        system: The polynomials P_i, at most quadratic; variable 0 is x and variable i ≥ 1 is s_i.
        x: The argument, `(A, ...)`, A ≤ K.
        algebra: The graded algebra of K basis elements.

    Returns:
        `(K, ...)`.
    """
    zero = torch.zeros_like(x[0])
    argument = x.unbind()
    states = [[value] for value in initial]
    slopes: list[list[Tensor]] = [[] for _ in system]
    for below, layer in zip(algebra.layers, algebra.layers[1:], strict=False):
        variables = [argument, *states]
        for slope, polynomial in zip(slopes, system, strict=True):
            slope += [_evaluate(polynomial, k, variables, algebra, zero) for k in below]
        for state, slope in zip(states, slopes, strict=True):
            for k in layer:
                terms = [(w, argument[a] * slope[b]) for a, b, w in algebra.recurrence[k] if a < len(argument)]
                state.append(_sum([_times(w, term) for w, term in terms], zero))
    return torch.stack(states[0])


def _evaluate(
    polynomial: Mapping[tuple[int, ...], float],
    k: int,
    variables: Sequence[Sequence[Tensor]],
    algebra: Algebra,
    zero: Tensor,
) -> Tensor:
    """Coefficient k of a polynomial of series."""
    terms = []
    for monomial, factor in polynomial.items():
        if not monomial:
            terms += [zero + factor] if k == 0 else []
        elif len(monomial) == 1:
            series = variables[monomial[0]]
            terms += [_times(factor, series[k])] if k < len(series) else []
        else:
            left, right = (variables[variable] for variable in monomial)
            terms += [_times(factor, _sum(_products(k, left, right, algebra), zero))]
    return _sum(terms, zero)


def _products(k: int, left: Sequence[Tensor], right: Sequence[Tensor], algebra: Algebra) -> list[Tensor]:
    """What adds up to coefficient k of a product; series may be shorter than the algebra, the rest being zero."""
    return [left[i] * right[j] for i, j in algebra.factors[k] if i < len(left) and j < len(right)]


def _times(factor: float, x: Tensor) -> Tensor:
    return x if factor == 1 else factor * x


def _sum(terms: Sequence[Tensor], zero: Tensor) -> Tensor:
    return sum(terms[1:], start=terms[0]) if terms else zero
