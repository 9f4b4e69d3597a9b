"""The recurrence of an elementary function and its adjoint as array operations in place, in blocks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from pinnlab.jets.functions.elementary import Elementary, Kernels
from pinnlab.jets.series.algebra import Algebra, constant
from pinnlab.jets.series.runs import (
    accumulate,
    accumulate_square,
    correlation_runs,
    fresh_product_runs,
    fresh_square_runs,
    product_runs,
    recurrence_runs,
    value_runs,
)
from pinnlab.jets.series.termwise import Polynomial

# The kernels take a stack in blocks of so many numbers. A recurrence reads its coefficients again and again, and a
# block of them stays in the processor's cache (measured: twice as fast as whole stacks of ten times the size).
_BLOCK = 2**17


def _blocks(stack: Tensor) -> list[slice]:
    """Slices of the columns of a stack `(K, M)`."""
    rows, columns = stack.shape
    size = _BLOCK // rows if stack.device.type == "cpu" else columns
    if columns <= size + size // 2:
        return [slice(0, columns)]
    return [slice(start, start + size) for start in range(0, columns, size)]


def _solve_block(function: Elementary, x: Tensor, states: list[Tensor], algebra: Algebra) -> None:
    """Fills the states from their values, degree by degree: a known degree is added to all that it contributes to."""
    slopes = x  # |a| x_a
    if algebra.degrees[x.shape[0] - 1] > 1:
        slopes = x * constant(algebra.degrees[: x.shape[0]], x.dtype, x.device).unsqueeze(-1)
    variables = [x, *states]
    # Pairs (series, scale), for a derivative that is a multiple of one variable needs no series of its own.
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
                state[known].div_(degree)
        if degree == algebra.order:
            break
        for series, polynomial in pending:
            _extend(series, polynomial, variables, algebra, degree)
        runs = recurrence_runs(algebra, degree, x.shape[0])
        for state, (series, scale) in zip(states, derivatives, strict=True):
            if degree:
                accumulate(state, slopes, series, runs, scale)
            else:
                accumulate(state[1:], slopes[1:], series, value_runs(x.shape[0]), scale, fresh=True)


def _extend(series: Tensor, polynomial: Polynomial, variables: list[Tensor], algebra: Algebra, degree: int) -> None:
    """Adds the contributions of the variables' coefficients of this degree to the series of the polynomial."""
    layer = algebra.layers[degree]
    for monomial, coefficient in polynomial.items():
        if not monomial:
            if degree == 0:
                series[0].add_(coefficient)
        elif len(monomial) == 1:
            _add_rows(series, variables[monomial[0]], layer, coefficient)
        elif monomial[0] == monomial[1]:
            v = variables[monomial[0]]
            twice, once = fresh_square_runs(algebra, degree, v.shape[0])
            accumulate(series, v, v, twice, 2 * coefficient)
            accumulate(series, v, v, once, coefficient)
        else:
            u, v = (variables[variable] for variable in monomial)
            accumulate(series, u, v, fresh_product_runs(algebra, degree, u.shape[0], v.shape[0]), coefficient)


def _add_rows(out: Tensor, rows: Tensor, layer: range, factor: float) -> None:
    stop = min(layer.stop, rows.shape[0])
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
        runs = correlation_runs(algebra, gradient.shape[0], series.shape[0], out.shape[0])
        accumulate(out, gradient, series, runs, scale, fresh)
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
            out[0].add_(coefficient)
        elif len(monomial) == 1:
            if fresh:
                out.zero_()
            _add_rows(out, variables[monomial[0]], range(rows), coefficient)
        elif monomial[0] == monomial[1]:
            v = variables[monomial[0]]
            accumulate_square(out, v, algebra, coefficient, fresh)
        else:
            u, v = (variables[variable] for variable in monomial)
            accumulate(out, u, v, product_runs(algebra, u.shape[0], v.shape[0], rows), coefficient, fresh)
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
            argument = x.reshape(x.shape[0], -1)
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
        series = [v.reshape(v.shape[0], -1) for v in variables]
        stacks = [None if g is None else g.reshape(g.shape[0], -1) for g in gradients]
        for block in _blocks(series[-1]):
            parts = [None if g is None else g[:, block] for g in stacks]
            _adjoint_block(function, [v[:, block] for v in series], parts, flat[:, block], algebra)
        return out


EAGER = _Eager()
"""The eager kernels."""
