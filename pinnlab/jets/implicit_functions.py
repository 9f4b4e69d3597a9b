"""Series of functions that an equation defines: Newton's iteration on jets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any, overload

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets.jet import Jet
from pinnlab.jets.series.algebra import IndexSet, unit

Equation = Callable[..., Any]
"""F: takes the jets x and the unknowns y, returns a jet, or a sequence of jets."""

_MOST = 100
"""Steps of Newton's iteration for the values; a simple root that is near takes fewer than ten."""


@overload
def implicit(equation: Equation, x: Jet | Sequence[Jet], start: Tensor) -> Jet: ...
@overload
def implicit(equation: Equation, x: Jet | Sequence[Jet], start: Sequence[Tensor]) -> tuple[Jet, ...]: ...
def implicit(equation: Equation, x: Jet | Sequence[Jet], start: Tensor | Sequence[Tensor]) -> Jet | tuple[Jet, ...]:
    """The function y(x) with F(x, y(x)) = 0, as a jet: its values and all derivatives that the jets x carry.

    Newton's iteration y ← y − (∂F/∂y)⁻¹ F(x, y) first finds the values from the start. Then it runs on series, where
    each step doubles the number of correct degrees (Brent & Kung, "Fast algorithms for manipulating formal power
    series", 1978). ∂F/∂y is the coefficient of ε in F(x, y + ε), with one more axis ε of order 1 for each unknown. The
    iteration takes one step more than the degrees need, so that first derivatives with respect to parameters of F are
    right as well.

    Args:
        equation: F, in torch functions and arithmetic: called with the jets x and then the unknowns, and returns one
            component for each unknown, alone or in a sequence.
        x: The jet or jets that y depends on, over one index set.
        start: Values near y, `(N, ...)` or what broadcasts to the values of x; a sequence for several unknowns.

    Returns:
        y over the index set of x; a tuple of jets where the start is a sequence.

    Raises:
        UserError: if the jets are not over one index set, F has another number of components, uses other jets than its
            arguments, differentiates, or has no simple root near the start (∂F/∂y must not vanish there).

    Example:
        Lambert's function W, which solves w e^w = x, has the series x − x² + 3/2 x³ − …:

        >>> import torch
        >>> from pinnlab.jets import IndexSet, Jet, implicit
        >>> x = Jet.seed(torch.zeros(1, 1), IndexSet.simplex(1, 3))[:, 0]
        >>> w = implicit(lambda x, w: w * torch.exp(w) - x, x, torch.zeros(1))
        >>> w.coefficients[:, 0]
        tensor([ 0.0000,  1.0000, -1.0000,  1.5000])
    """
    arguments = (x,) if isinstance(x, Jet) else tuple(x)
    starts = (start,) if isinstance(start, Tensor) else tuple(start)
    indices = arguments[0].indices
    if not isinstance(indices, IndexSet) or any(jet.indices is not indices for jet in arguments):
        raise UserError(f"implicit needs jets over one index set, got {', '.join(str(j.indices) for j in arguments)}")
    unknowns = _roots(equation, arguments, starts)
    correct = 0
    while correct <= indices.order + 1:
        correct = 2 * correct + 1
        part = IndexSet.of(alpha for alpha in indices if sum(alpha) <= correct)
        # sets are sorted by degree: the coefficients of a smaller set are the leading ones of a larger
        given = [jet.on(part) for jet in arguments]
        unknowns = [Jet(y.coefficients, part, composition=y.composition) for y in unknowns]
        _, steps = _newton_step(equation, given, unknowns)
        unknowns = [y - step for y, step in zip(unknowns, steps, strict=True)]
    return unknowns[0] if isinstance(start, Tensor) else tuple(unknowns)


def _roots(equation: Equation, arguments: Sequence[Jet], starts: Sequence[Tensor]) -> list[Jet]:
    """Jets of order 0 with F(x, y) = 0 at the points, without gradients.

    Raises:
        UserError: if Newton's iteration finds no simple root.
    """
    point = IndexSet.simplex(arguments[0].indices.dimension, 0)
    with torch.no_grad():
        given = [jet.on(point) for jet in arguments]
        zero = given[0].value.new_zeros(torch.broadcast_shapes(*(jet.shape for jet in given)))
        trials = unknowns = [given[0].like((start + zero)[None]) for start in starts]
        smallest = torch.full(trials[0].shape, torch.inf, dtype=zero.dtype, device=zero.device)
        steps = [smallest] * len(trials)
        for _ in range(_MOST):
            size, ahead = _newton_step(equation, given, trials)
            less = size < smallest
            if not bool(less.any()):
                break
            smallest = torch.where(less, size, smallest)
            unknowns = [
                y.like(torch.where(less, t.value, y.value)[None]) for t, y in zip(trials, unknowns, strict=True)
            ]
            steps = [torch.where(less, new.value, old) for new, old in zip(ahead, steps, strict=True)]
            trials = [y - step for y, step in zip(unknowns, steps, strict=True)]
        tolerance = torch.finfo(zero.dtype).eps ** 0.5
        near = [abs(step) <= tolerance * (1 + abs(y.value)) for step, y in zip(steps, unknowns, strict=True)]
        if bool(less.any()) or not all(bool(there.all()) for there in near):
            raise UserError(
                "implicit finds no simple root of F near the start: give a start nearer to y, and points where ∂F/∂y "
                "does not vanish"
            )
    return unknowns


def _newton_step(equation: Equation, arguments: Sequence[Jet], unknowns: Sequence[Jet]) -> tuple[Tensor, list[Jet]]:
    """The size Σ |F_i| of the values, `(N, ...)`, and the step (∂F/∂y)⁻¹ F(x, y) over the unknowns' index set."""
    indices = unknowns[0].indices
    assert isinstance(indices, IndexSet)
    m, d = len(unknowns), indices.dimension
    plain = IndexSet.of((*alpha, *[0] * m) for alpha in indices)
    extended = IndexSet.of([*plain, *((*alpha, *unit(m, j)) for alpha in indices for j in range(m))])
    lifted = [_lifted(jet, extended) for jet in arguments]
    lifted += [_lifted(y, extended, d + j) for j, y in enumerate(unknowns)]
    try:
        components = _components(equation, lifted, m)
    except ValueError as error:  # index sets that do not mix
        raise UserError(f"the equation of implicit must take every jet that it uses as an argument: {error}") from error
    # the multi-indices (α, 0) have the order of the α
    residual = [Jet(c.on(plain).coefficients, indices, composition=c.composition) for c in components]
    jacobian = [
        [Jet(c.differentiate(d + j).coefficients, indices, composition=c.composition) for j in range(m)]
        for c in components
    ]
    return reduce(add, (abs(component.value) for component in residual)), _solved(jacobian, residual)


def _lifted(jet: Jet, extended: IndexSet, axis: int | None = None) -> Jet:
    """The jet over an index set with further axes, with +ε along one of these axes where it is given."""
    further = extended.dimension - jet.indices.dimension
    rows = [torch.zeros_like(jet.value)] * len(extended)
    assert isinstance(jet.indices, IndexSet)
    for alpha, coefficient in zip(jet.indices, jet.coefficients, strict=False):  # the leading ones; the others are 0
        rows[extended.position[(*alpha, *[0] * further)]] = coefficient
    if axis is not None:
        rows[extended.position[unit(extended.dimension, axis)]] = torch.ones_like(jet.value)
    return Jet(torch.stack(rows), extended, composition=jet.composition)


def _solved(jacobian: list[list[Jet]], residual: list[Jet]) -> list[Jet]:
    """The solution of a small system over series, by elimination after multiplication by the inverse of its values."""
    m = len(residual)
    if m == 1:
        return [residual[0] / jacobian[0][0]]
    values = torch.stack([torch.stack([entry.value for entry in row], -1) for row in jacobian], -2)
    inverse = torch.linalg.inv_ex(values).inverse
    given = [[*row, right] for row, right in zip(jacobian, residual, strict=True)]
    # the values of the matrix are now the identity, so that no pivot vanishes
    rows = [[reduce(add, (inverse[..., i, k] * given[k][j] for k in range(m))) for j in range(m + 1)] for i in range(m)]
    for i in range(m):
        rows[i] = [entry / rows[i][i] for entry in rows[i]]
        for k in range(m):
            if k != i:
                rows[k] = [entry - rows[k][i] * pivot for entry, pivot in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def _components(equation: Equation, jets: Sequence[Jet], count: int) -> list[Jet]:
    """The components of F(x, y).

    Raises:
        UserError: if they are not jets, one for each of `count` unknowns.
    """
    result = equation(*jets)
    components = list(result) if isinstance(result, tuple | list) else [result]
    if len(components) != count or not all(isinstance(component, Jet) for component in components):
        raise UserError(f"the equation of implicit must return F(x, y), a jet for each unknown: {count} in all")
    return components
