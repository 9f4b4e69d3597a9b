"""Products, recurrences and their adjoints coefficient by coefficient, in ordinary tensor expressions.

Each coefficient is a sum of products of tensors that nothing changes in place. A compiler fuses such expressions to one
loop, and `torch.export` traces them to a graph that needs no code of pinnlab and takes any number of points: `Compiled`
and exported models consist of these functions. `functions.eager` computes the same in place.

A series is the sequence of its leading coefficients; those beyond its length are zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pinnlab.jets.series.algebra import Algebra

Polynomial = Mapping[tuple[int, ...], float]
"""Coefficients by monomial, at most quadratic; variable 0 is x and variable i ≥ 1 is the state s_i."""

Series = Sequence[Tensor]


class Tables(NamedTuple):
    """What these functions read of an algebra, as the plain numbers that a compiler can trace."""

    degrees: tuple[int, ...]
    factors: tuple[tuple[tuple[int, int], ...], ...]
    squares: tuple[tuple[tuple[int, int, float], ...], ...]
    recurrence: tuple[tuple[tuple[int, int, float], ...], ...]
    multiples: tuple[tuple[tuple[int, int], ...], ...]

    @staticmethod
    def of(algebra: Algebra) -> Tables:
        """The tables of an algebra."""
        return Tables(algebra.degrees, algebra.factors, algebra.squares, algebra.recurrence, algebra.multiples)


def product(a: Series, b: Series, k: int, tables: Tables) -> Tensor | None:
    """Coefficient k of the truncated product a · b; None where it is zero by structure."""
    return _sum([a[i] * b[j] for i, j in tables.factors[k] if i < len(a) and j < len(b)])


def square(a: Series, k: int, tables: Tables) -> Tensor | None:
    """Coefficient k of the truncated product a · a; None where it is zero by structure."""
    return _sum([_times(w, a[i] * a[j]) for i, j, w in tables.squares[k] if j < len(a)])


def polynomial(terms: Polynomial, variables: Sequence[Series], k: int, tables: Tables) -> Tensor | None:
    """Coefficient k of a polynomial of series; None where it is zero by structure."""
    found: list[Tensor] = []
    constant = 0.0
    for monomial, factor in terms.items():
        if not monomial:
            constant = factor if k == 0 else 0.0
        elif len(monomial) == 1:
            series = variables[monomial[0]]
            if k < len(series):
                found.append(_times(factor, series[k]))
        else:
            u, v = (variables[variable] for variable in monomial)
            value = square(u, k, tables) if monomial[0] == monomial[1] else product(u, v, k, tables)
            if value is not None:
                found.append(_times(factor, value))
    total = _sum(found)
    if total is None:
        return torch.full_like(variables[-1][0], constant) if constant else None
    return total + constant if constant else total


def recurrence(
    initial: Callable[[Tensor], Sequence[Tensor]], system: Sequence[Polynomial], x: Series, tables: Tables
) -> list[list[Tensor]]:
    """The series s_i with s_i' = P_i(x, s): |k| s_{i,k} = Σ_{e_a e_b = e_k} |a| x_a P_{i,b}, degree by degree.

    Args:
        initial: x_0 ↦ the values of all states.
        system: The polynomials P_i.
        x: The argument.
        tables: The tables of the algebra.

    Returns:
        All coefficients of every state.
    """
    states = [[value] for value in initial(x[0])]
    variables: list[Series] = [x, *states]
    slopes: list[list[Tensor | None]] = [[] for _ in states]
    for k, degree in enumerate(tables.degrees):
        if k:
            for state, slope in zip(states, slopes, strict=True):
                terms = [(w, x[a], slope[b]) for a, b, w in tables.recurrence[k] if a < len(x)]
                total = _sum([_times(w, u * p) for w, u, p in terms if p is not None])
                state.append(torch.zeros_like(x[0]) if total is None else total)
        if degree < tables.degrees[-1]:
            for slope, terms_of in zip(slopes, system, strict=True):
                slope.append(polynomial(terms_of, variables, k, tables))
    return states


def adjoint(
    system: Sequence[Polynomial], variables: Sequence[Series], gradients: Sequence[Series], rows: int, tables: Tables
) -> list[Tensor | None]:
    """The leading `rows` coefficients of Σ_i correlate(gradient_i, P_i(variables)); None where zero by structure."""
    terms: list[list[Tensor]] = [[] for _ in range(rows)]
    for terms_of, gradient in zip(system, gradients, strict=True):
        slope = [polynomial(terms_of, variables, k, tables) for k in range(len(tables.degrees))]
        for i, pairs in enumerate(tables.multiples[:rows]):
            for k, j in pairs:
                factor = slope[j]
                if factor is not None:
                    terms[i].append(gradient[k] * factor)
    return [_sum(found) for found in terms]


def _times(factor: float, x: Tensor) -> Tensor:
    return x if factor == 1 else factor * x


def _sum(terms: Sequence[Tensor]) -> Tensor | None:
    if not terms:
        return None
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
