"""Elementary functions of series, each given by the polynomial differential system that it satisfies.

A function σ is described as data: the values of its states s_1 = σ, s_2, … at a number, and polynomials with
s_i'(x) = P_i(x, s). For a series x over a graded algebra with degrees |k| the grading is a derivation, so the
coefficients of s_i = s_i(x) obey, degree by degree (Griewank & Walther, Evaluating Derivatives, ch. 13),

    |k| s_{i,k} = Σ_{e_a e_b = e_k, |a| ≥ 1} |a| x_a P_{i,b},

O(n²) multiply-adds for order n, where the sum over integer partitions grows exponentially in √n. The adjoint is
one truncated correlation with P_1 = σ'(x), which is recomputed from the states: nothing else is saved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pinnlab.jets import plain
from pinnlab.jets.algebra import Algebra
from pinnlab.jets.product import accumulate, correlate, front, product

Polynomial = Mapping[tuple[int, ...], float]
"""Coefficients by monomial, at most quadratic; variable 0 is x and variable i ≥ 1 is the state s_i."""


@dataclass(frozen=True)
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


def recurrence(function: Elementary, x: Tensor, algebra: Algebra) -> Tensor:
    """The coefficients of σ(x) by the series recurrence, O(K²) multiply-adds at most.

    Args:
        function: σ and its differential system.
        x: Coefficients of the argument, `(K, ...)`.
        algebra: The graded algebra of K basis elements.
    """
    if torch.compiler.is_exporting():
        return plain.recurrence(function.initial(x[0]), function.system, x, algebra)
    return _Recurrence.apply(x, function, algebra)[0]


def evaluate(polynomial: Polynomial, variables: Sequence[Tensor], algebra: Algebra) -> Tensor:
    """The polynomial of series `variables`, each `(K, ...)`; differentiable."""
    total: Tensor | None = None
    constant = 0.0
    for monomial, coefficient in polynomial.items():
        if not monomial:
            constant = coefficient
            continue
        term = variables[monomial[0]]
        for variable in monomial[1:]:
            term = product(term, variables[variable], algebra)
        term = term if coefficient == 1 else coefficient * term
        total = term if total is None else total + term
    if total is None:
        total = torch.zeros_like(variables[0])
    if constant:
        total = torch.cat((total[:1] + constant, total[1:]))
    return total


def _solve(function: Elementary, x: Tensor, algebra: Algebra) -> tuple[Tensor, ...]:
    """The series of all states, by increasing degree, without a graph."""
    initial = function.initial(x[0])
    states = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in initial]
    for state, value in zip(states, initial, strict=True):
        state[0] = value
    if algebra.order == 0:
        return tuple(states)
    argument = x.unbind()
    rows: list[Sequence[Tensor]] = [argument, *(state.unbind() for state in states)]
    # A derivative that is a multiple of one variable needs no series of its own: (rows, scale).
    derivatives: list[tuple[Sequence[Tensor], float]] = []
    pending: list[tuple[Sequence[Tensor], Polynomial]] = []
    series: Sequence[Tensor]
    for polynomial in function.system:
        (monomial, scale), *more = polynomial.items() or [((), 0.0)]
        if not more and len(monomial) == 1:
            derivatives.append((rows[monomial[0]], scale))
        else:
            below = algebra.layers[-1].start
            series = torch.empty_like(x[:below], memory_format=torch.contiguous_format).unbind()
            derivatives.append((series, 1.0))
            pending.append((series, polynomial))
    for degree in range(1, algebra.order + 1):
        for series, polynomial in pending:
            for k in algebra.layers[degree - 1]:
                _coefficient(series[k], k, polynomial, rows, algebra)
        for k in algebra.layers[degree]:
            weights = algebra.recurrence[k]
            for (series, scale), target in zip(derivatives, rows[1:], strict=True):
                accumulate(target[k], [(argument[a], series[b], w * scale) for a, b, w in weights])
    return tuple(states)


def _coefficient(
    out: Tensor, k: int, polynomial: Polynomial, rows: Sequence[Sequence[Tensor]], algebra: Algebra
) -> None:
    """Writes coefficient k of the polynomial of the series `rows` into `out`."""
    triples = []
    linear = []
    constant = 0.0
    for monomial, coefficient in polynomial.items():
        if not monomial:
            constant = coefficient
        elif len(monomial) == 1:
            linear.append((rows[monomial[0]][k], coefficient))
        else:
            u, v = (rows[variable] for variable in monomial)
            if u is v:
                triples += [(u[i], u[j], w * coefficient) for i, j, w in algebra.squares[k]]
            else:
                triples += [(u[i], v[j], coefficient) for i, j in algebra.factors[k]]
    accumulate(out, triples)
    for row, coefficient in linear:
        out.add_(row, alpha=coefficient)
    if constant and k == 0:
        out.add_(constant)


class _Recurrence(torch.autograd.Function):
    """x ↦ the series of all states of σ(x); differentiable to any order, forward mode and vmap included."""

    @staticmethod
    def forward(x: Tensor, function: Elementary, algebra: Algebra) -> tuple[Tensor, ...]:
        return _solve(function, x, algebra)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Elementary, Algebra], output: tuple[Tensor, ...]) -> None:
        x, ctx.function, ctx.algebra = inputs
        # The argument is kept only where the system refers to it; the value is the next layer's saved input anyway.
        saved = (x, *output) if ctx.function.uses_argument else output
        ctx.save_for_backward(*saved)
        ctx.save_for_forward(*saved)
        ctx.set_materialize_grads(False)

    @staticmethod
    def _derivative(ctx: Any, i: int) -> Tensor:
        variables = list(ctx.saved_tensors)
        if not ctx.function.uses_argument:
            variables = [variables[0], *variables]  # a place holder: no polynomial refers to variable 0
        return evaluate(ctx.function.system[i], variables, ctx.algebra)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None, None]:
        total: Tensor | None = None
        for i, gradient in enumerate(gradients):
            if gradient is not None:
                term = correlate(gradient, _Recurrence._derivative(ctx, i), ctx.algebra)
                total = term if total is None else total + term
        return total, None, None

    @staticmethod
    def jvp(ctx: Any, dx: Tensor, *_: None) -> tuple[Tensor, ...]:
        return tuple(product(_Recurrence._derivative(ctx, i), dx, ctx.algebra) for i in range(len(ctx.function.system)))

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, None, None], x: Tensor, function: Elementary, algebra: Algebra
    ) -> tuple[tuple[Tensor, ...], int]:
        return _Recurrence.apply(front(x, in_dims[0], info.batch_size), function, algebra), 1


def _reciprocal_pair(value: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Sequence[Tensor]]:
    return lambda x: (value(x), x.reciprocal())


TANH = Elementary("tanh", lambda x: (x.tanh(),), ({(): 1, (1, 1): -1},))
SIGMOID = Elementary("sigmoid", lambda x: (x.sigmoid(),), ({(1,): 1, (1, 1): -1},))
SIN = Elementary("sin", lambda x: (x.sin(), x.cos()), ({(2,): 1}, {(1,): -1}))
COS = Elementary("cos", lambda x: (x.cos(), x.sin()), ({(2,): -1}, {(1,): 1}))
SINH = Elementary("sinh", lambda x: (x.sinh(), x.cosh()), ({(2,): 1}, {(1,): 1}))
COSH = Elementary("cosh", lambda x: (x.cosh(), x.sinh()), ({(2,): 1}, {(1,): 1}))
TAN = Elementary("tan", lambda x: (x.tan(),), ({(): 1, (1, 1): 1},))
EXP = Elementary("exp", lambda x: (x.exp(),), ({(1,): 1},))
EXPM1 = Elementary("expm1", lambda x: (x.expm1(),), ({(): 1, (1,): 1},))
LOG = Elementary("log", _reciprocal_pair(torch.log), ({(2,): 1}, {(2, 2): -1}))
LOG1P = Elementary("log1p", lambda x: (x.log1p(), 1 / (1 + x)), ({(2,): 1}, {(2, 2): -1}))
RECIPROCAL = Elementary("reciprocal", lambda x: (x.reciprocal(),), ({(1, 1): -1},))
SOFTPLUS = Elementary(
    "softplus", lambda x: (x.logaddexp(torch.zeros_like(x)), x.sigmoid()), ({(2,): 1}, {(2,): 1, (2, 2): -1})
)
ERF = Elementary("erf", lambda x: (x.erf(), 2 / math.sqrt(math.pi) * (-x * x).exp()), ({(2,): 1}, {(0, 2): -2}))


def _atan(x: Tensor) -> Sequence[Tensor]:
    slope = 1 / (1 + x * x)
    return x.atan(), slope, x * slope


def _silu(x: Tensor) -> Sequence[Tensor]:
    s = x.sigmoid()
    return x * s, s, s * (1 - s)


def _gelu(x: Tensor) -> Sequence[Tensor]:
    normal = (-x * x / 2).exp() / math.sqrt(2 * math.pi)
    return torch.nn.functional.gelu(x), torch.special.ndtr(x), normal


# The slope w = 1/(1 + x²) and v = x w: w' = -2 v w, v' = w - 2 v².
ATAN = Elementary("atan", _atan, ({(2,): 1}, {(2, 3): -2}, {(2,): 1, (3, 3): -2}))
# y = x s with the logistic s and its slope w = s - s²: y' = s + x w.
SILU = Elementary("silu", _silu, ({(2,): 1, (0, 3): 1}, {(3,): 1}, {(3,): 1, (2, 3): -2}))
# y = x Φ(x) with the normal distribution Φ and density φ: y' = Φ + x φ.
GELU = Elementary("gelu", _gelu, ({(2,): 1, (0, 3): 1}, {(3,): 1}, {(0, 3): -1}))


def power(exponent: float) -> Elementary:
    """The real power x ↦ x^p for x ≥ 0, with all derivatives that exist at x = 0.

    The states are x^p, x^{p-1}, … down to an exponent q < 1, and r = 1/x: (x^p)' = p x^{p-1}, (x^q)' = q x^q r,
    r' = -r².
    """
    n = max(math.floor(exponent), 0)
    system: list[Polynomial] = [{(i + 2,): exponent - i} for i in range(n)]
    system += [{(n + 1, n + 2): exponent - n}, {(n + 2, n + 2): -1}]
    return Elementary(
        f"pow({exponent})", lambda x: (*(x ** (exponent - i) for i in range(n + 1)), x.reciprocal()), tuple(system)
    )
