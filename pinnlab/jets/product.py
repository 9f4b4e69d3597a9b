"""The product of two series over a graded algebra, and its adjoint, the truncated correlation.

With stacks a, b of shape `(K, ...)` and e_i e_j = e_k as in the algebra's table,

    product(a, b)_k   = Σ_{(i,j): e_i e_j = e_k} a_i b_j
    correlate(c, b)_i = Σ_{(j,k): e_i e_j = e_k} c_k b_j

The two are each other's derivatives (∂/∂a of product is a correlation, ∂/∂c of correlate is a product), so they
close under differentiation of any order and under forward mode.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pinnlab.jets import plain
from pinnlab.jets.algebra import Algebra

# Below this many products in all, one gather and one scatter beat a loop over the table: measured on the CPU,
# where each torch call costs some 3 µs and a multiply-add of float64 about a nanosecond.
_GATHER_LIMIT = 2**15


def product(a: Tensor, b: Tensor, algebra: Algebra) -> Tensor:
    """The truncated product of two series of shape `(K, ...)`; trailing dimensions broadcast.

    Args:
        a: Coefficients over `algebra`, `(K, ...)`.
        b: Coefficients over `algebra`, `(K, ...)`, of as many dimensions as `a`.
        algebra: The graded algebra of K basis elements.
    """
    if torch.compiler.is_exporting():
        return plain.product(a, b, algebra)
    shape = torch.broadcast_shapes(a.shape, b.shape)
    return _Product.apply(a.expand(shape), b.expand(shape), algebra)


def correlate(c: Tensor, b: Tensor, algebra: Algebra) -> Tensor:
    """The adjoint of `a ↦ product(a, b)` applied to c: Σ_{e_i e_j = e_k} c_k b_j; shapes `(K, ...)`, equal."""
    return _Correlate.apply(c, b, algebra)


def accumulate(out: Tensor, pairs: list[tuple[Tensor, Tensor, float]]) -> None:
    """Writes Σ w·u·v over the triples (u, v, w) into `out`, in place; zero if there are none."""
    if not pairs:
        out.zero_()
        return
    u, v, w = pairs[0]
    torch.mul(u, v, out=out)
    if w != 1:
        out.mul_(w)
    for u, v, w in pairs[1:]:
        out.addcmul_(u, v, value=w)


def _gathers(a: Tensor, algebra: Algebra) -> bool:
    return a[0].numel() * algebra.pairs <= _GATHER_LIMIT


def front(x: Tensor, dim: int | None, size: int) -> Tensor:
    """Puts the mapped dimension behind the stack's; expands where there is none."""
    return x.unsqueeze(1).expand(-1, size, *x.shape[1:]) if dim is None else x.movedim(dim, 1)


class _Bilinear(torch.autograd.Function):
    """What product and correlate share: both are bilinear and elementwise beyond the stack's dimension."""

    generate_vmap_rule = False

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Algebra], output: Tensor) -> None:
        a, b, ctx.algebra = inputs
        ctx.save_for_backward(a, b)
        ctx.save_for_forward(a, b)

    @classmethod
    def jvp(cls, ctx: Any, da: Tensor | None, db: Tensor | None, _: None) -> Tensor:
        a, b = ctx.saved_tensors
        terms = []
        if da is not None:
            terms.append(cls.apply(da, b, ctx.algebra))
        if db is not None:
            terms.append(cls.apply(a, db, ctx.algebra))
        return terms[0] if len(terms) == 1 else terms[0] + terms[1]

    @classmethod
    def vmap(
        cls, info: Any, in_dims: tuple[int | None, int | None, None], a: Tensor, b: Tensor, algebra: Algebra
    ) -> tuple[Tensor, int]:
        a = front(a, in_dims[0], info.batch_size)
        b = front(b, in_dims[1], info.batch_size)
        return cls.apply(a, b, algebra), 1


class _Product(_Bilinear):
    @staticmethod
    def forward(a: Tensor, b: Tensor, algebra: Algebra) -> Tensor:
        if _gathers(a, algebra):
            i, j, k = algebra.table(a.device)
            return torch.zeros_like(a, memory_format=torch.contiguous_format).index_add_(0, k, a[i] * b[j])
        out = torch.empty_like(a, memory_format=torch.contiguous_format)
        rows, left = out.unbind(), a.unbind()
        if a.data_ptr() == b.data_ptr() and a.stride() == b.stride():
            for row, triples in zip(rows, algebra.squares, strict=True):
                accumulate(row, [(left[i], left[j], w) for i, j, w in triples])
            return out
        right = b.unbind()
        for row, pairs in zip(rows, algebra.factors, strict=True):
            accumulate(row, [(left[i], right[j], 1.0) for i, j in pairs])
        return out

    @staticmethod
    def backward(ctx: Any, c: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        a, b = ctx.saved_tensors
        da = correlate(c, b, ctx.algebra) if ctx.needs_input_grad[0] else None
        db = correlate(c, a, ctx.algebra) if ctx.needs_input_grad[1] else None
        return da, db, None


class _Correlate(_Bilinear):
    @staticmethod
    def forward(c: Tensor, b: Tensor, algebra: Algebra) -> Tensor:
        if _gathers(c, algebra):
            i, j, k = algebra.table(c.device)
            return torch.zeros_like(c, memory_format=torch.contiguous_format).index_add_(0, i, c[k] * b[j])
        out = torch.empty_like(c, memory_format=torch.contiguous_format)
        rows, left, right = out.unbind(), c.unbind(), b.unbind()
        for row, pairs in zip(rows, algebra.multiples, strict=True):
            accumulate(row, [(left[k], right[j], 1.0) for k, j in pairs])
        return out

    @staticmethod
    def backward(ctx: Any, h: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        c, b = ctx.saved_tensors
        dc = product(h, b, ctx.algebra) if ctx.needs_input_grad[0] else None
        db = correlate(c, h, ctx.algebra) if ctx.needs_input_grad[1] else None
        return dc, db, None
