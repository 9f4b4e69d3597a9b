"""Rules for arithmetic and elementary functions of jets."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets import elementary as table
from pinnlab.jets.elementary import Elementary
from pinnlab.jets.jet import Jet, common, rule
from pinnlab.jets.product import pad, product
from pinnlab.jets.schedule import reach

Operand = Jet | Tensor | float


def apply_elementary(function: Elementary, x: Jet) -> Jet:
    """σ(x) by the jet's rule."""
    return x.like(x.rule(function, x.coefficients, x.indices))


for _functions, _elementary in (
    ((torch.tanh, Tensor.tanh, F.tanh), table.TANH),
    ((torch.sigmoid, Tensor.sigmoid, F.sigmoid, torch.special.expit), table.SIGMOID),
    ((torch.sin, Tensor.sin), table.SIN),
    ((torch.cos, Tensor.cos), table.COS),
    ((torch.sinh, Tensor.sinh), table.SINH),
    ((torch.cosh, Tensor.cosh), table.COSH),
    ((torch.exp, Tensor.exp), table.EXP),
    ((torch.log, Tensor.log), table.LOG),
    ((torch.reciprocal, Tensor.reciprocal), table.RECIPROCAL),
    ((torch.sqrt, Tensor.sqrt), table.power(0.5)),
    ((torch.rsqrt, Tensor.rsqrt), table.power(-0.5)),
    ((torch.erf, torch.special.erf, Tensor.erf), table.ERF),
):
    rule(*_functions)(lambda x, _elementary=_elementary: apply_elementary(_elementary, x))


@rule(F.silu)
def silu(x: Jet, inplace: bool = False) -> Jet:
    """X · sigmoid(x)."""
    return apply_elementary(table.SILU, x)


@rule(F.gelu)
def gelu(x: Jet, approximate: str = "none") -> Jet:
    """X Φ(x), or its tanh approximation."""
    if approximate == "tanh":
        return 0.5 * x * (1 + apply_elementary(table.TANH, math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return apply_elementary(table.GELU, x)


@rule(F.softplus)
def softplus(x: Jet, beta: float = 1.0, threshold: float = 20.0) -> Jet:
    """log(1 + exp(βx)) / β; exact everywhere, torch's linear tail above the threshold is not imitated."""
    return apply_elementary(table.SOFTPLUS, x) if beta == 1 else apply_elementary(table.SOFTPLUS, beta * x) / beta


@rule(F.softsign)
def softsign(x: Jet) -> Jet:
    """X / (1 + |x|)."""
    return x / (1 + abs(x))


def _piecewise(name: str, slopes: Callable[..., Tensor]) -> Callable[..., Jet]:
    """A rule for a piecewise linear function: it has no second derivative to give."""

    def implementation(x: Jet, *args: Any, **kwargs: Any) -> Jet:
        if x.indices.order > 1:
            raise UserError(
                f"{name} has no derivatives beyond the first, and order {x.indices.order} is needed: "
                "choose a smooth activation such as tanh, sin or gelu"
            )
        return x.like(x.coefficients * slopes(x.value, *args, **kwargs))

    return implementation


rule(torch.relu, Tensor.relu, F.relu)(_piecewise("relu", lambda x, inplace=False: (x > 0).to(x.dtype)))
rule(F.leaky_relu)(
    _piecewise("leaky_relu", lambda x, negative_slope=0.01, inplace=False: torch.where(x > 0, 1.0, negative_slope))
)


@rule(torch.abs, Tensor.abs)
def absolute(x: Jet) -> Jet:
    """|x|, smooth away from zeros."""
    return x.like(x.coefficients * x.value.detach().sign())


@rule(torch.sign, Tensor.sign)
def sign(x: Jet) -> Jet:
    """The sign: a constant away from zeros."""
    return x.like(x.coefficients[:1].sign())


@rule(torch.neg, Tensor.neg)
def neg(x: Jet) -> Jet:
    """−x."""
    return x.like(-x.coefficients)


def _shift_value(x: Jet, other: Tensor | float) -> Jet:
    """The jet plus a constant."""
    shape = torch.broadcast_shapes(x.shape, other.shape) if isinstance(other, Tensor) else x.shape
    c = x.coefficients
    if shape != x.shape:
        c = c[(slice(None), *[None] * (len(shape) - x.ndim))].expand(-1, *shape)
    return x.like(torch.cat((c[:1] + other, c[1:])))


@rule(torch.add, Tensor.add, Tensor.__add__, Tensor.__radd__)
def add(a: Operand, b: Operand, alpha: float = 1) -> Jet:
    """The sum a + αb."""
    if alpha != 1:
        b = alpha * b
    if isinstance(a, Jet) and isinstance(b, Jet):
        a, b = common(a, b)
        rows = max(len(a.coefficients), len(b.coefficients))
        return a.like(pad(a.coefficients, rows) + pad(b.coefficients, rows))
    jet, other = (a, b) if isinstance(a, Jet) else (b, a)
    assert isinstance(jet, Jet)
    return _shift_value(jet, other)  # type: ignore[arg-type]


@rule(torch.sub, torch.subtract, Tensor.sub, Tensor.__sub__)
def sub(a: Operand, b: Operand, alpha: float = 1) -> Jet:
    """The difference a − αb."""
    if isinstance(a, Jet) and isinstance(b, Jet) and alpha == 1:
        a, b = common(a, b)
        rows = max(len(a.coefficients), len(b.coefficients))
        return a.like(pad(a.coefficients, rows) - pad(b.coefficients, rows))
    return add(a, -alpha * b if alpha != 1 else -b)


@rule(torch.rsub, Tensor.__rsub__)
def rsub(a: Operand, b: Operand) -> Jet:
    """The difference b − a."""
    return sub(b, a)


@rule(torch.mul, torch.multiply, Tensor.mul, Tensor.__mul__, Tensor.__rmul__)
def mul(a: Operand, b: Operand) -> Jet:
    """The product a · b."""
    if isinstance(a, Jet) and isinstance(b, Jet):
        left, right = common(a, b)
        return left.like(product(left.coefficients, right.coefficients, left.indices))
    jet, other = (a, b) if isinstance(a, Jet) else (b, a)
    assert isinstance(jet, Jet) and not isinstance(other, Jet)
    if isinstance(other, Tensor) and other.ndim > jet.ndim:
        jet = jet.like(jet.coefficients[(slice(None), *[None] * (other.ndim - jet.ndim))])
    return jet.like(jet.coefficients * other)


@rule(torch.div, torch.divide, torch.true_divide, Tensor.div, Tensor.__truediv__)
def div(a: Operand, b: Operand) -> Jet:
    """The quotient a / b."""
    if not isinstance(b, Jet):
        assert isinstance(a, Jet)
        return mul(a, 1 / b)
    return mul(a, apply_elementary(table.RECIPROCAL, b))


@rule(Tensor.__rtruediv__)
def rdiv(a: Operand, b: Operand) -> Jet:
    """The quotient b / a."""
    return div(b, a)


@rule(torch.square, Tensor.square)
def square(x: Jet) -> Jet:
    """x²."""
    return x.like(product(x.coefficients, x.coefficients, x.indices))


@rule(torch.pow, Tensor.pow, Tensor.__pow__)
def power(x: Jet, exponent: float) -> Jet:
    """x^p with a constant p: repeated squaring for whole numbers (zeros of x included), a series otherwise.

    Raises:
        UserError: if the exponent is not a plain number.
    """
    if not isinstance(exponent, numbers.Real) or not isinstance(x, Jet):
        raise UserError("powers of fields take a constant number as exponent; write exp(p * log(u)) for others")
    p = float(exponent)
    if not p.is_integer():
        return apply_elementary(table.power(p), x)
    if p < 0:
        return apply_elementary(table.RECIPROCAL, power(x, -p))
    if p == 0:
        return x.like(torch.ones_like(x.coefficients[:1]))
    half = power(x, p // 2) if p > 1 else None
    squared = square(half) if half is not None else None
    if p % 2 == 0:
        assert squared is not None
        return squared
    return x.like(x.coefficients) if squared is None else mul(squared, x)


@rule(torch.matmul, Tensor.matmul, Tensor.__matmul__, Tensor.__rmatmul__)
def matmul(a: Jet | Tensor, b: Jet | Tensor) -> Jet:
    """The matrix product a @ b over the values' trailing dimensions."""
    if isinstance(a, Jet) and isinstance(b, Jet):
        indices = a.indices.intersection(b.indices)
        a, b = a.on(indices), b.on(indices)
        left, right = a.coefficients.unbind(), b.coefficients.unbind()
        rows = reach(indices, len(left), len(right))
        sums = [
            torch.stack([left[i] @ right[j] for i, j in pairs if i < len(left) and j < len(right)]).sum(0)
            for pairs in indices.factors[:rows]
        ]
        return a.like(torch.stack(sums))
    if isinstance(a, Jet):
        assert isinstance(b, Tensor)
        return a.like(a.coefficients @ b)
    assert isinstance(b, Jet)
    if b.ndim == 1:
        return b.like((a @ b.coefficients.unsqueeze(-1)).squeeze(-1))
    return b.like(a @ b.coefficients)


@rule(F.layer_norm)
def layer_norm(
    x: Jet, normalized_shape: Any, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Jet:
    """Layer normalisation over the last dimensions."""
    dims = tuple(range(-len(normalized_shape), 0))
    centred = x - x.mean(dims, True)
    y = centred * torch.rsqrt(torch.square(centred).mean(dims, True) + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias
