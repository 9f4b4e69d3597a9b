"""Series recurrences under `torch.compile`: each becomes one fused loop that keeps its coefficients in registers.

The same recurrence as in `elementary`, written coefficient by coefficient without in-place updates, which is what a
compiler fuses best. The eager path is its truth. Every (function, algebra, shape) is compiled once, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets.functions.eager import EAGER
from pinnlab.jets.functions.elementary import Elementary, Kernels, Polynomial
from pinnlab.jets.functions.recurrence import differentiable
from pinnlab.jets.series.algebra import Algebra

LARGEST = 256
"""The most products that are compiled: order 21 in one variable, 6 in two.

Up to about so many, compiling is worth its time and the coefficients of one number fit the registers and first cache.
"""

Rows = Sequence[Tensor]


class Tables(NamedTuple):
    """What the recurrences read of an algebra, as the plain numbers that a compiler can trace."""

    degrees: tuple[int, ...]
    factors: tuple[tuple[tuple[int, int], ...], ...]
    squares: tuple[tuple[tuple[int, int, float], ...], ...]
    recurrence: tuple[tuple[tuple[int, int, float], ...], ...]
    multiples: tuple[tuple[tuple[int, int], ...], ...]

    @staticmethod
    def of(algebra: Algebra) -> Tables:
        """The tables of an algebra."""
        return Tables(algebra.degrees, algebra.factors, algebra.squares, algebra.recurrence, algebra.multiples)


class Compiled(Kernels):
    """Kernels that compile themselves on first use, for the life of this object; called like `recurrence`."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[Any, ...], Callable[..., None]] = {}

    def __call__(self, function: Elementary, x: Tensor, algebra: Algebra) -> Tensor:
        """The coefficients of σ(x); see `recurrence`.

        Raises:
            UserError: for an algebra of more than `LARGEST` products, or where `torch.compile` does not work.
        """
        if algebra.pairs > LARGEST:
            raise UserError(
                f"compile: true is for index sets of up to {LARGEST} products (order 21 in one input, 6 in two); the "
                f"derivatives here need {algebra.pairs}, up to order {algebra.order}: set compile: false"
            )
        return differentiable(function, x, algebra, self)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Copies compile for themselves: compiled code does not pickle."""
        return Compiled, ()

    def solve(self, function: Elementary, x: Tensor, algebra: Algebra) -> tuple[Tensor, ...]:
        """See `Kernels.solve`."""
        if not x.numel():
            return EAGER.solve(function, x, algebra)
        tables = Tables.of(algebra)
        states = tuple(x.new_empty(len(algebra), *x.shape[1:]) for _ in function.system)

        def fused(out: Sequence[Rows], x: Tensor) -> None:
            for rows, series in zip(out, states_of(function, x.unbind(), tables), strict=True):
                for row, coefficient in zip(rows, series, strict=True):
                    row.copy_(coefficient)

        self._run(
            (function, algebra, len(x)), fused, [_rows(state) for state in states], x.detach().reshape(len(x), -1)
        )
        return states

    def adjoint(
        self,
        function: Elementary,
        algebra: Algebra,
        rows: int,
        variables: Sequence[Tensor],
        gradients: Sequence[Tensor | None],
    ) -> Tensor:
        """See `Kernels.adjoint`."""
        if not variables[-1].numel():
            return EAGER.adjoint(function, algebra, rows, variables, gradients)
        out = variables[-1].new_empty(rows, *variables[-1].shape[1:])
        tables = Tables.of(algebra)
        present = tuple(gradient is not None for gradient in gradients)
        chosen = [polynomial for polynomial, used in zip(function.system, present, strict=True) if used]

        def fused(out: Rows, variables: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
            series = [variable.unbind() for variable in variables]
            terms: list[list[Tensor]] = [[] for _ in out]
            for polynomial, gradient in zip(chosen, gradients, strict=True):
                stack = gradient.unbind()
                slope = [polynomial_of(polynomial, series, k, tables) for k in range(len(tables.degrees))]
                for i, pairs in enumerate(tables.multiples[: len(out)]):
                    for k, j in pairs:
                        factor = slope[j]
                        if factor is not None:
                            terms[i].append(stack[k] * factor)
            for row, parts in zip(out, terms, strict=True):
                row.copy_(_sum(parts, row))

        self._run(
            (function, algebra, rows, len(variables[0]), present),
            fused,
            _rows(out),
            [v.detach().reshape(len(v), -1) for v in variables],
            [g.detach().reshape(len(g), -1) for g in gradients if g is not None],
        )
        return out

    def _run(self, key: tuple[Any, ...], fused: Callable[..., None], *args: Any) -> None:
        if key not in self._compiled:
            # Static shapes: with symbolic ones the overlap of the rows is checked anew on every call, at 0.3 ms.
            self._compiled[key] = torch.compile(  # type: ignore[call-overload]
                fused, fullgraph=True, dynamic=False, isolate_recompiles=True, recompile_limit=64
            )
        try:
            self._compiled[key](*args)
        except (torch._dynamo.exc.TorchDynamoException, torch._inductor.exc.InductorError) as error:
            raise UserError(
                "compile: true needs torch.compile, which failed here "
                f"({str(error).strip().splitlines()[0]}); install a C++ compiler or set compile: false"
            ) from error


def _rows(stack: Tensor) -> list[Tensor]:
    return list(stack.view(len(stack), -1).unbind())


def _sum(terms: Sequence[Tensor], like: Tensor) -> Tensor:
    if not terms:
        return torch.zeros_like(like)
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def polynomial_of(polynomial: Polynomial, variables: Sequence[Rows], k: int, tables: Tables) -> Tensor | None:
    """Coefficient k of a polynomial of series; None where it is zero by structure."""
    total: list[Tensor] = []
    constant = 0.0
    for monomial, coefficient in polynomial.items():
        if not monomial:
            constant = coefficient if k == 0 else 0.0
        elif len(monomial) == 1:
            rows = variables[monomial[0]]
            if k < len(rows):
                total.append(coefficient * rows[k])
        else:
            u, v = (variables[variable] for variable in monomial)
            if monomial[0] == monomial[1]:
                terms = [w * (u[i] * u[j]) for i, j, w in tables.squares[k] if j < len(u)]
            else:
                terms = [u[i] * v[j] for i, j in tables.factors[k] if i < len(u) and j < len(v)]
            if terms:
                total.append(coefficient * _sum(terms, terms[0]))
    if not total:
        return torch.full_like(variables[-1][0], constant) if constant else None
    result = _sum(total, total[0])
    return result + constant if constant else result


def states_of(function: Elementary, x: Rows, tables: Tables) -> list[list[Tensor]]:
    """The series of all states, coefficient by coefficient."""
    states = [[value] for value in function.initial(x[0])]
    variables: list[Rows] = [x, *states]
    slopes: list[list[Tensor | None]] = [[] for _ in states]
    for k in range(len(tables.degrees)):
        if k:
            for state, slope in zip(states, slopes, strict=True):
                terms = []
                for a, b, w in tables.recurrence[k]:
                    factor = slope[b]
                    if a < len(x) and factor is not None:
                        terms.append(w * (x[a] * factor))
                state.append(_sum(terms, x[0]))
        if tables.degrees[k] < tables.degrees[-1]:
            for slope, polynomial in zip(slopes, function.system, strict=True):
                slope.append(polynomial_of(polynomial, variables, k, tables))
    return states
