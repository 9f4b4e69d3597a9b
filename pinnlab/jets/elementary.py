"""Elementary functions of series, each given by the polynomial differential system that it satisfies.

A function σ is described as data: the values of its states s_1 = σ, s_2, … at a number, and polynomials with
s_i'(x) = P_i(x, s). For a series x over a graded algebra with degrees |k| the grading is a derivation, so the
coefficients of s_i = s_i(x) obey, degree by degree (Griewank & Walther, Evaluating Derivatives, ch. 13),

    |k| s_{i,k} = Σ_{e_a e_b = e_k, |a| ≥ 1} |a| x_a P_{i,b},

O(n²) multiply-adds for order n, where the sum over integer partitions grows exponentially in √n. The adjoint is
one truncated correlation with P_1 = σ'(x), which is recomputed from the states: nothing else is saved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets import plain, schedule
from pinnlab.jets.algebra import Algebra, constant
from pinnlab.jets.product import correlate, front, pad, product, signed

Polynomial = Mapping[tuple[int, ...], float]
"""Coefficients by monomial, at most quadratic; variable 0 is x and variable i ≥ 1 is the state s_i."""


@dataclass(frozen=True, eq=False)
class Elementary:
    """A function σ of one number with σ = s_1 and s_i' = P_i(x, s), P_i at most quadratic.

    Attributes:
        name: What it is called.
        initial: x ↦ (s_1(x), s_2(x), …), elementwise on tensors.
        system: The polynomial P_i for every state.
    """

    name: str
    initial: Callable[[Tensor], Sequence[Tensor]]
    system: tuple[Polynomial, ...]

    @property
    def uses_argument(self) -> bool:
        """Whether any polynomial refers to x itself."""
        return any(0 in monomial for polynomial in self.system for monomial in polynomial)


Rule = Callable[[Elementary, Tensor, Algebra], Tensor]
"""How σ(x) is computed for a stack x of shape `(K, ...)`: by `recurrence`, or by the sum over partitions."""


class Kernels(ABC):
    """How the recurrence and its adjoint are carried out, without a graph: eagerly, or compiled."""

    @abstractmethod
    def solve(self, function: Elementary, x: Tensor, algebra: Algebra) -> tuple[Tensor, ...]:
        """The series of all states, each `(K, ...)`, from leading coefficients `(S, ...)` of the argument."""

    @abstractmethod
    def adjoint(
        self,
        function: Elementary,
        algebra: Algebra,
        rows: int,
        variables: Sequence[Tensor],
        gradients: Sequence[Tensor | None],
    ) -> Tensor:
        """Σ_i correlate(gradient_i, P_i(variables)), `(rows, ...)`; a gradient that is None counts as zero."""


def recurrence(function: Elementary, x: Tensor, algebra: Algebra) -> Tensor:
    """The coefficients of σ(x) by the series recurrence, O(K²) multiply-adds at most.

    Args:
        function: σ and its differential system.
        x: Leading coefficients of the argument, `(S, ...)`, S ≤ K; the others are zero.
        algebra: The graded algebra of K basis elements.

    Raises:
        UserError: under autocast, whose rounding a recurrence would amplify.
    """
    if torch.compiler.is_exporting():
        return plain.recurrence(function.initial(x[0]), function.system, x, algebra)
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


# A stack is worked through in blocks of so many numbers, so that what a recurrence reads again and again stays in
# the processor's cache (measured: twice as fast as whole stacks of ten times the size).
_BLOCK = 2**18


def _blocks(stack: Tensor) -> list[slice]:
    """Slices of the columns of a stack `(K, M)`."""
    rows, columns = stack.shape
    size = _BLOCK // rows if stack.device.type == "cpu" else columns
    if columns <= size + size // 2:
        return [slice(0, columns)]
    return [slice(start, start + size) for start in range(0, columns, size)]


def _solve_block(function: Elementary, x: Tensor, states: list[Tensor], algebra: Algebra) -> None:
    """Fills the states from their values: as soon as a degree is known, all it contributes to is updated."""
    slopes = x  # |a| x_a
    if algebra.degrees[len(x) - 1] > 1:
        slopes = x * constant(algebra.degrees[: len(x)], x.dtype, x.device).unsqueeze(-1)
    variables = [x, *states]
    # A derivative that is a multiple of one variable needs no series of its own: (series, scale).
    derivatives: list[tuple[Tensor, float]] = []
    pending: list[tuple[Tensor, Polynomial]] = []
    for polynomial in function.system:
        (monomial, scale), *more = polynomial.items()
        if not more and len(monomial) == 1 and monomial != (0,):
            derivatives.append((variables[monomial[0]], scale))
        else:
            series = x.new_zeros(algebra.layers[-1].start, x.shape[1])
            derivatives.append((series, 1.0))
            pending.append((series, polynomial))
    for degree, layer in enumerate(algebra.layers):
        known = slice(layer.start, layer.stop)
        if degree > 1:
            for state in states:
                state[known] /= degree
        if degree == algebra.order:
            break
        for series, polynomial in pending:
            _extend(series, polynomial, variables, algebra, degree)
        runs = schedule.driven(algebra, degree, len(x))
        for state, (series, scale) in zip(states, derivatives, strict=True):
            if degree:
                schedule.accumulate(state, slopes, series, runs, scale)
            else:
                schedule.accumulate(state[1:], slopes[1:], series, schedule.slopes(len(x)), scale, fresh=True)


def _extend(series: Tensor, polynomial: Polynomial, variables: list[Tensor], algebra: Algebra, degree: int) -> None:
    """Adds to the series of the polynomial all that the variables' coefficients of this degree contribute."""
    layer = algebra.layers[degree]
    for monomial, coefficient in polynomial.items():
        if not monomial:
            if degree == 0:
                series[0] += coefficient
        elif len(monomial) == 1:
            _add_rows(series, variables[monomial[0]], layer, coefficient)
        elif monomial[0] == monomial[1]:
            v = variables[monomial[0]]
            twice, once = schedule.fresh_squares(algebra, degree, len(v))
            schedule.accumulate(series, v, v, twice, 2 * coefficient)
            schedule.accumulate(series, v, v, once, coefficient)
        else:
            u, v = (variables[variable] for variable in monomial)
            schedule.accumulate(series, u, v, schedule.fresh_products(algebra, degree, len(u), len(v)), coefficient)


def _add_rows(out: Tensor, rows: Tensor, layer: range, factor: float) -> None:
    stop = min(layer.stop, len(rows))
    if stop > layer.start:
        out[layer.start : stop].add_(rows[layer.start : stop], alpha=factor)


def _adjoint_block(
    function: Elementary, variables: list[Tensor], gradients: Sequence[Tensor | None], out: Tensor, algebra: Algebra
) -> None:
    """Writes Σ_i correlate(gradient_i, P_i) to `out`, P_i computed from the variables and not kept."""
    fresh = True
    for polynomial, gradient in zip(function.system, gradients, strict=True):
        if gradient is None:
            continue
        (monomial, scale), *more = polynomial.items()
        if not more and len(monomial) == 1 and monomial != (0,):
            series = variables[monomial[0]]
        else:
            series, scale = _series(polynomial, variables, algebra), 1.0
        runs = schedule.correlations(algebra, len(gradient), len(series), len(out))
        schedule.accumulate(out, gradient, series, runs, scale, fresh)
        fresh = False


def _series(polynomial: Polynomial, variables: list[Tensor], algebra: Algebra) -> Tensor:
    """The series of a polynomial of series `(·, M)`, all coefficients, without a graph."""
    rows = len(algebra)
    out: Tensor | None = None
    for monomial, coefficient in sorted(polynomial.items(), key=lambda term: -len(term[0])):
        fresh = out is None
        if out is None:
            out = variables[-1].new_empty(rows, variables[-1].shape[1])
        if not monomial:
            if fresh:
                out.zero_()
            out[0] += coefficient
        elif len(monomial) == 1:
            if fresh:
                out.zero_()
            _add_rows(out, variables[monomial[0]], range(rows), coefficient)
        elif monomial[0] == monomial[1]:
            v = variables[monomial[0]]
            schedule.square(out, v, algebra, coefficient, fresh)
        else:
            u, v = (variables[variable] for variable in monomial)
            schedule.accumulate(out, u, v, schedule.products(algebra, len(u), len(v), rows), coefficient, fresh)
    assert out is not None
    return out


class _Eager(Kernels):
    """Array operations in place, in blocks."""

    def solve(self, function: Elementary, x: Tensor, algebra: Algebra) -> tuple[Tensor, ...]:
        """See `Kernels.solve`."""
        initial = function.initial(x[0])
        states = [x.new_empty(len(algebra), *x.shape[1:]) for _ in initial]
        for state, value in zip(states, initial, strict=True):
            state[0] = value
        if algebra.order:
            flat = [state.view(len(algebra), -1) for state in states]
            argument = x.reshape(len(x), -1)
            for block in _blocks(flat[0]):
                _solve_block(function, argument[:, block], [state[:, block] for state in flat], algebra)
        return tuple(states)

    def adjoint(
        self,
        function: Elementary,
        algebra: Algebra,
        rows: int,
        variables: Sequence[Tensor],
        gradients: Sequence[Tensor | None],
    ) -> Tensor:
        """See `Kernels.adjoint`."""
        out = variables[-1].new_empty(rows, *variables[-1].shape[1:])
        flat = out.view(rows, -1)
        series = [v.reshape(len(v), -1) for v in variables]
        stacks = [None if g is None else g.reshape(len(g), -1) for g in gradients]
        for block in _blocks(series[-1]):
            parts = [None if g is None else g[:, block] for g in stacks]
            _adjoint_block(function, [v[:, block] for v in series], parts, flat[:, block], algebra)
        return out


EAGER = _Eager()
"""The eager kernels."""


class _Recurrence(torch.autograd.Function):
    """x ↦ the series of all states of σ(x); differentiable to any order, forward mode and vmap included."""

    @staticmethod
    @signed
    def forward(x: Tensor, function: Elementary, algebra: Algebra, kernels: Kernels) -> tuple[Tensor, ...]:
        return kernels.solve(function, x, algebra)

    @staticmethod
    def setup_context(
        ctx: Any, inputs: tuple[Tensor, Elementary, Algebra, Kernels], output: tuple[Tensor, ...]
    ) -> None:
        x, ctx.function, ctx.algebra, ctx.kernels = inputs
        ctx.rows = len(x)
        # The argument is kept only where the system refers to it; the value is the next layer's saved input anyway.
        saved = (x, *output) if ctx.function.uses_argument else output
        ctx.save_for_backward(*saved)
        ctx.save_for_forward(*saved)
        ctx.set_materialize_grads(False)

    @staticmethod
    def _variables(ctx: Any) -> list[Tensor]:
        saved = list(ctx.saved_tensors)
        # Without the argument a place holder stands in its place: no polynomial refers to variable 0.
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


class _Adjoint(torch.autograd.Function):
    """The adjoint of a recurrence where nobody differentiates it further."""

    @staticmethod
    @signed
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
