"""Rules for arithmetic and elementary functions of jets."""

from __future__ import annotations

import math
import numbers
from typing import Any

import torch
from torch import Tensor

from pinnlab.jets.functions import table
from pinnlab.jets.functions.elementary import Elementary
from pinnlab.jets.jet import Jet, common, raised, rule
from pinnlab.jets.rules.structure import gather, unsqueeze
from pinnlab.jets.series.product import pad, product
from pinnlab.jets.series.runs import reach

Operand = Jet | Tensor | float


def apply_elementary(function: Elementary, x: Jet) -> Jet:
    """The jet of σ(x)."""
    return x.like(x.composition(function, x.coefficients, x.indices))


for _functions, _elementary in (
    ((torch.tanh, Tensor.tanh), table.TANH),
    ((torch.sigmoid, Tensor.sigmoid, torch.special.expit), table.SIGMOID),
    ((torch.sin, Tensor.sin), table.SIN),
    ((torch.cos, Tensor.cos), table.COS),
    ((torch.sinh, Tensor.sinh), table.SINH),
    ((torch.cosh, Tensor.cosh), table.COSH),
    ((torch.tan, Tensor.tan), table.TAN),
    ((torch.atan, Tensor.atan, torch.arctan, Tensor.arctan), table.ATAN),
    ((torch.exp, Tensor.exp), table.EXP),
    ((torch.expm1, Tensor.expm1), table.EXPM1),
    ((torch.log, Tensor.log), table.LOG),
    ((torch.log1p, Tensor.log1p), table.LOG1P),
    ((torch.reciprocal, Tensor.reciprocal), table.RECIPROCAL),
    ((torch.sqrt, Tensor.sqrt), table.power(0.5)),
    ((torch.rsqrt, Tensor.rsqrt), table.power(-0.5)),
    ((torch.erf, torch.special.erf, Tensor.erf), table.ERF),
):
    rule(*_functions)(lambda x, _elementary=_elementary: apply_elementary(_elementary, x))


@rule(torch.abs, Tensor.abs)
def absolute(x: Jet) -> Jet:
    """|x|, smooth away from zeros."""
    return x.like(x.coefficients * x.value.detach().sign())


@rule(torch.neg, Tensor.neg)
def neg(x: Jet) -> Jet:
    """−x."""
    return x.like(-x.coefficients)


def _shift_value(x: Jet, other: Tensor | float) -> Jet:
    """The jet plus a constant."""
    c = x.coefficients
    if isinstance(other, Tensor) and other.ndim:
        shape = torch.broadcast_shapes(x.shape, other.shape)
        c = raised(x, len(shape)).expand(-1, *shape)
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
    return jet.like(raised(jet, other.ndim if isinstance(other, Tensor) else 0) * other)


@rule(torch.div, torch.divide, torch.true_divide, Tensor.div, Tensor.__truediv__)
def div(a: Operand, b: Operand) -> Jet:
    """The quotient a / b."""
    if not isinstance(b, Jet):
        assert isinstance(a, Jet)
        return a.like(raised(a, b.ndim if isinstance(b, Tensor) else 0) / b)
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
def power(x: Operand, exponent: Operand) -> Jet:
    """x^p: repeated squaring for whole numbers p (zeros of x included), a series for others, exp(p log x) for fields p.

    An exponent that is a tensor, as an unknown, is taken like a field: x must be positive.
    """
    if not isinstance(exponent, numbers.Real) or not isinstance(x, Jet):
        like = x if isinstance(x, Jet) else exponent
        assert isinstance(like, Jet)
        base: Any = x if isinstance(x, Jet | Tensor) else like.value.new_full((), x)
        return apply_elementary(table.EXP, mul(exponent, torch.log(base)))
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


@rule(torch.log2, Tensor.log2)
def log2(x: Jet) -> Jet:
    """Log x / log 2."""
    return div(apply_elementary(table.LOG, x), math.log(2))


@rule(torch.log10, Tensor.log10)
def log10(x: Jet) -> Jet:
    """Log x / log 10."""
    return div(apply_elementary(table.LOG, x), math.log(10))


@rule(torch.exp2, Tensor.exp2)
def exp2(x: Jet) -> Jet:
    """2^x."""
    return apply_elementary(table.EXP, mul(x, math.log(2)))


@rule(torch.hypot, Tensor.hypot)
def hypot(x: Operand, y: Operand) -> Jet:
    """√(x² + y²), smooth away from the origin."""
    return apply_elementary(table.power(0.5), add(torch.square(x), torch.square(y)))  # type: ignore[arg-type]


@rule(torch.atan2, Tensor.atan2, torch.arctan2, Tensor.arctan2)
def atan2(y: Operand, x: Operand) -> Jet:
    """The angle θ of the point (x, y), smooth away from the origin.

    In axes that are turned by the angle θ_0 of the values, θ = θ_0 + atan(y'/x') with y' = 0 to rounding and x' > 0.
    """
    like = x if isinstance(x, Jet) else y
    assert isinstance(like, Jet)
    there = [part.value if isinstance(part, Jet) else part for part in (y, x)]
    angle = torch.atan2(*(part.detach() if isinstance(part, Tensor) else like.value.new_tensor(part) for part in there))
    c, s = angle.cos(), angle.sin()
    ahead, aside = add(mul(c, x), mul(s, y)), sub(mul(c, y), mul(s, x))
    return add(angle, apply_elementary(table.ATAN, div(aside, ahead)))


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
        if a.ndim == 1:
            return a.like((raised(unsqueeze(a, 0), b.ndim) @ b).squeeze(-1 if b.ndim == 1 else -2))
        return a.like(raised(a, b.ndim) @ b)
    assert isinstance(b, Jet)
    if b.ndim == 1:
        return b.like((a @ raised(unsqueeze(b, 1), a.ndim)).squeeze(-1))
    return b.like(a @ raised(b, a.ndim))


def _part(operand: Operand, device: torch.device) -> Jet | Tensor:
    """A branch of `where`; a number is filled in on the device, for the processor would wait to copy it there."""
    if isinstance(operand, Jet):
        return operand
    return operand.to(device) if isinstance(operand, Tensor) else torch.full((), operand, device=device)


@rule(torch.where, Tensor.where)
def where(condition: Tensor, a: Operand, b: Operand) -> Jet:
    """The series of a where the condition on the values holds, and of b elsewhere: valid off the seam."""
    parts = [_part(part, condition.device) for part in (a, b)]
    ndim = max(condition.ndim, *(part.ndim for part in parts))
    model, stacks = gather(parts)
    left, right = (raised(model.like(stack), ndim) for stack in stacks)
    return model.like(torch.where(condition, left, right))
