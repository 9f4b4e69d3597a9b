"""Series recurrences under `torch.compile`: each becomes one fused loop that keeps its coefficients in registers.

It compiles the expressions of `series.termwise`, which change nothing in place, as a compiler fuses them best. The
tests hold them against the eager kernels. Every (function, algebra, shape) is compiled once, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets.functions.eager import EAGER
from pinnlab.jets.functions.elementary import Elementary, Kernels
from pinnlab.jets.functions.recurrence import differentiable
from pinnlab.jets.series import termwise
from pinnlab.jets.series.algebra import Algebra
from pinnlab.jets.series.termwise import Series, Tables

LARGEST = 256
"""The most products that are compiled: order 21 in one variable, 6 in two.

Up to about so many, compiling is worth its time and the coefficients of one number fit the registers and first cache.
"""


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

        def fused(out: Sequence[Series], x: Tensor) -> None:
            states = termwise.recurrence(function.initial, function.system, x.unbind(), tables)
            for rows, series in zip(out, states, strict=True):
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

        def fused(out: Series, variables: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
            series = [variable.unbind() for variable in variables]
            stacks = [gradient.unbind() for gradient in gradients]
            for row, coefficient in zip(out, termwise.adjoint(chosen, series, stacks, len(out), tables), strict=True):
                row.copy_(torch.zeros_like(row) if coefficient is None else coefficient)

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
