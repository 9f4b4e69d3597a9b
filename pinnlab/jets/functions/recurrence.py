"""The series recurrence of elementary functions as an operation of torch, differentiable to any order.

`elementary` has the formulas; this module makes them known to autograd, forward mode and vmap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets.functions.eager import EAGER
from pinnlab.jets.functions.elementary import Elementary, Kernels
from pinnlab.jets.series import termwise
from pinnlab.jets.series.algebra import Algebra
from pinnlab.jets.series.operation import Operation
from pinnlab.jets.series.product import correlate, front, pad, product
from pinnlab.jets.series.termwise import Polynomial, Tables


def recurrence(function: Elementary, x: Tensor, algebra: Algebra) -> Tensor:
    """The coefficients of σ(x) by the series recurrence, `(K, ...)`, in O(K²) multiply-adds at most.

    Args:
        function: σ and its differential system.
        x: Leading coefficients of the argument, `(S, ...)`, S ≤ K; the others are zero.
        algebra: The graded algebra of K basis elements.

    Raises:
        UserError: under autocast, whose rounding a recurrence would amplify.

    Example:
        >>> import torch
        >>> from pinnlab.jets import IndexSet
        >>> from pinnlab.jets.functions.recurrence import recurrence
        >>> from pinnlab.jets.functions.table import EXP
        >>> recurrence(EXP, torch.tensor([0.0, 1.0]), IndexSet.simplex(1, 2))  # 1 + x + x²/2
        tensor([1.0000, 1.0000, 0.5000])
    """
    if torch.compiler.is_exporting():
        states = termwise.recurrence(function.initial, function.system, x.unbind(), Tables.of(algebra))
        return torch.stack(states[0])
    return differentiable(function, x, algebra, EAGER)


def differentiable(function: Elementary, x: Tensor, algebra: Algebra, kernels: Kernels) -> Tensor:
    """`recurrence` with the given kernels."""
    kind = x.device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        raise UserError("jets do not run under autocast: high derivatives need the full precision; switch it off")
    return _Recurrence.apply(x, function, algebra, kernels)[0]


def evaluate(polynomial: Polynomial, variables: Sequence[Tensor], algebra: Algebra) -> Tensor:
    """The polynomial of series `variables`, each `(·, ...)`, to all K coefficients; differentiable."""
    rows = len(algebra)
    total: Tensor | None = None
    constant = 0.0
    for monomial, coefficient in polynomial.items():
        if not monomial:
            constant = coefficient
            continue
        if len(monomial) == 1:
            term = pad(variables[monomial[0]], rows)
        else:
            term = product(variables[monomial[0]], variables[monomial[1]], algebra, rows)
        term = term if coefficient == 1 else coefficient * term
        total = term if total is None else total + term
    if total is None:
        total = variables[-1].new_zeros(rows, *variables[-1].shape[1:])
    if constant:
        total = torch.cat((total[:1] + constant, total[1:]))
    return total


class _Recurrence(Operation):
    """x ↦ the series of all states of σ(x); differentiable to any order, forward mode and vmap included."""

    @staticmethod
    def forward(x: Tensor, function: Elementary, algebra: Algebra, kernels: Kernels) -> tuple[Tensor, ...]:
        return kernels.solve(function, x, algebra)

    @staticmethod
    def setup_context(
        ctx: Any, inputs: tuple[Tensor, Elementary, Algebra, Kernels], output: tuple[Tensor, ...]
    ) -> None:
        x, ctx.function, ctx.algebra, ctx.kernels = inputs
        ctx.rows = x.shape[0]
        # The argument is kept only where the system refers to it; the value is the next layer's saved input anyway.
        saved = (x, *output) if ctx.function.uses_argument else output
        ctx.save_for_backward(*saved)
        ctx.save_for_forward(*saved)
        ctx.set_materialize_grads(False)

    @staticmethod
    def _variables(ctx: Any) -> list[Tensor]:
        saved = list(ctx.saved_tensors)
        # Where no polynomial refers to variable 0, the argument was not kept, and any tensor may stand in its place.
        return saved if ctx.function.uses_argument else [saved[0], *saved]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None, None, None]:
        if all(gradient is None for gradient in gradients):
            return None, None, None, None
        variables = _Recurrence._variables(ctx)
        if not torch.is_grad_enabled():
            adjoint = _Adjoint.apply(ctx.kernels, ctx.function, ctx.algebra, ctx.rows, *variables, *gradients)
            return adjoint, None, None, None
        total: Tensor | None = None
        for polynomial, gradient in zip(ctx.function.system, gradients, strict=True):
            if gradient is not None:
                derivative = evaluate(polynomial, variables, ctx.algebra)
                term = correlate(gradient, derivative, ctx.algebra, ctx.rows)
                total = term if total is None else total + term
        return total, None, None, None

    @staticmethod
    def jvp(ctx: Any, dx: Tensor, *_: None) -> tuple[Tensor, ...]:
        variables = _Recurrence._variables(ctx)
        rows = len(ctx.algebra)
        return tuple(
            product(evaluate(polynomial, variables, ctx.algebra), dx, ctx.algebra, rows)
            for polynomial in ctx.function.system
        )

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], x: Tensor, function: Elementary, algebra: Algebra, kernels: Kernels
    ) -> tuple[tuple[Tensor, ...], int]:
        return _Recurrence.apply(front(x, in_dims[0], info.batch_size), function, algebra, kernels), 1


class _Adjoint(Operation):
    """The adjoint of a recurrence, for a backward pass that is not itself differentiated."""

    @staticmethod
    def forward(kernels: Kernels, function: Elementary, algebra: Algebra, rows: int, *tensors: Tensor | None) -> Tensor:
        count = 1 + len(function.system)
        variables = [variable for variable in tensors[:count] if variable is not None]
        return kernels.adjoint(function, algebra, rows, variables, tensors[count:])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Nothing is kept."""

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[int | None, ...],
        kernels: Kernels,
        function: Elementary,
        algebra: Algebra,
        rows: int,
        *tensors: Tensor | None,
    ) -> tuple[Tensor, int]:
        moved = [
            None if tensor is None else front(tensor, dim, info.batch_size)
            for tensor, dim in zip(tensors, in_dims[4:], strict=True)
        ]
        return _Adjoint.apply(kernels, function, algebra, rows, *moved), 1
