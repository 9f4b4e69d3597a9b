"""The product of two series over a graded algebra, and its adjoint, the truncated correlation.

With e_i e_j = e_k as in the algebra's table,

    product(a, b)_k   = Σ_{(i,j): e_i e_j = e_k} a_i b_j
    correlate(c, b)_i = Σ_{(j,k): e_i e_j = e_k} c_k b_j

Each is the other's derivative (∂/∂a of product is a correlation, ∂/∂c of correlate is a product), so the pair is
closed under differentiation of any order and under forward mode. A series is given by its leading coefficients; the
coefficients beyond them are zero and cost nothing.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pinnlab.jets.series import termwise
from pinnlab.jets.series.algebra import Algebra
from pinnlab.jets.series.operation import Operation
from pinnlab.jets.series.runs import Runs, accumulate, accumulate_square, correlation_runs, product_runs, reach

# Seconds that one array operation costs beyond its arithmetic, and that a gathered multiply-add of one number
# costs, measured on a CPU: small batches with large index sets are faster as one gather and one scatter.
_CALL, _GATHERED = 3e-6, 5e-9


def product(a: Tensor, b: Tensor, algebra: Algebra, rows: int | None = None) -> Tensor:
    """The truncated product of two series; trailing dimensions broadcast.

    Args:
        a: Leading coefficients over `algebra`, `(A, ...)`, A ≤ K.
        b: Leading coefficients over `algebra`, `(B, ...)`, of as many dimensions as `a`.
        algebra: The graded algebra of K basis elements.
        rows: How many leading coefficients to compute; by default as many as can differ from zero.
    """
    if rows is None:
        rows = reach(algebra, a.shape[0], b.shape[0])
    if torch.compiler.is_exporting():
        left, right, tables = a.unbind(), b.unbind(), termwise.Tables.of(algebra)
        found = [termwise.product(left, right, k, tables) for k in range(rows)]
        return torch.stack([torch.zeros_like(left[0] * right[0]) if part is None else part for part in found])
    if a.shape[1:] != b.shape[1:]:
        shape = torch.broadcast_shapes(a.shape[1:], b.shape[1:])
        a, b = a.expand(-1, *shape), b.expand(-1, *shape)
    return _Product.apply(a, b, algebra, rows)


def correlate(c: Tensor, b: Tensor, algebra: Algebra, rows: int | None = None) -> Tensor:
    """The adjoint of `a ↦ product(a, b)` applied to c: Σ_{e_i e_j = e_k} c_k b_j; trailing dimensions equal.

    Args:
        c: Leading coefficients, `(C, ...)`.
        b: Leading coefficients, `(B, ...)`.
        algebra: The graded algebra.
        rows: How many leading coefficients to compute; as many as c has by default.
    """
    return _Correlate.apply(c, b, algebra, c.shape[0] if rows is None else rows)


def front(x: Tensor, dim: int | None, size: int) -> Tensor:
    """The tensor with vmap's dimension `dim` as dimension 1; expanded to `size` there if it is not mapped."""
    return x.unsqueeze(1).expand(-1, size, *x.shape[1:]) if dim is None else x.movedim(dim, 1)


def pad(x: Tensor, rows: int) -> Tensor:
    """The stack with zeros appended, `(rows, ...)`."""
    missing = rows - len(x)
    return torch.cat((x, x.new_zeros(missing, *x.shape[1:]))) if missing > 0 else x


def _sum(left: Tensor, right: Tensor, rows: int, runs: Runs) -> Tensor:
    out = left.new_empty(rows, *left.shape[1:])
    accumulate(out, left, right, runs, fresh=True)
    return out


def _gathers(one: Tensor, algebra: Algebra, runs: Runs) -> bool:
    # On an accelerator the gathered sum would not be deterministic.
    return one.device.type == "cpu" and one.numel() * algebra.pairs * _GATHERED < (len(runs) - 8) * _CALL


class _Bilinear(Operation):
    """The rules that product and correlate share: both are bilinear, and elementwise beyond the stack's dimension."""

    generate_vmap_rule = False

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Algebra, int], output: Tensor) -> None:
        a, b, ctx.algebra, ctx.rows = inputs
        ctx.save_for_backward(a, b)
        ctx.save_for_forward(a, b)

    @classmethod
    def jvp(cls, ctx: Any, da: Tensor | None, db: Tensor | None, *_: None) -> Tensor:
        a, b = ctx.saved_tensors
        terms = []
        if da is not None:
            terms.append(cls.apply(da, b, ctx.algebra, ctx.rows))
        if db is not None:
            terms.append(cls.apply(a, db, ctx.algebra, ctx.rows))
        return terms[0] if len(terms) == 1 else terms[0] + terms[1]

    @classmethod
    def vmap(
        cls, info: Any, in_dims: tuple[int | None, ...], a: Tensor, b: Tensor, algebra: Algebra, rows: int
    ) -> tuple[Tensor, int]:
        a = front(a, in_dims[0], info.batch_size)
        b = front(b, in_dims[1], info.batch_size)
        return cls.apply(a, b, algebra, rows), 1


class _Product(_Bilinear):
    @staticmethod
    def forward(a: Tensor, b: Tensor, algebra: Algebra, rows: int) -> Tensor:
        runs = product_runs(algebra, a.shape[0], b.shape[0], rows)
        if a.shape[0] == b.shape[0] == rows == len(algebra) and _gathers(a[0], algebra, runs):
            i, j, k = algebra.table(a.device)
            return torch.zeros_like(a, memory_format=torch.contiguous_format).index_add_(0, k, a[i] * b[j])
        if a.shape[0] == b.shape[0] and a.data_ptr() == b.data_ptr() and a.stride() == b.stride():
            out = a.new_empty(rows, *a.shape[1:])
            accumulate_square(out, a, algebra, 1.0, fresh=True)
            return out
        return _sum(a, b, rows, runs)

    @staticmethod
    def backward(ctx: Any, c: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        a, b = ctx.saved_tensors
        da = correlate(c, b, ctx.algebra, a.shape[0]) if ctx.needs_input_grad[0] else None
        db = correlate(c, a, ctx.algebra, b.shape[0]) if ctx.needs_input_grad[1] else None
        return da, db, None, None


class _Correlate(_Bilinear):
    @staticmethod
    def forward(c: Tensor, b: Tensor, algebra: Algebra, rows: int) -> Tensor:
        runs = correlation_runs(algebra, c.shape[0], b.shape[0], rows)
        if c.shape[0] == b.shape[0] == rows == len(algebra) and _gathers(c[0], algebra, runs):
            i, j, k = algebra.table(c.device)
            return torch.zeros_like(c, memory_format=torch.contiguous_format).index_add_(0, i, c[k] * b[j])
        return _sum(c, b, rows, runs)

    @staticmethod
    def backward(ctx: Any, h: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        c, b = ctx.saved_tensors
        dc = product(h, b, ctx.algebra, c.shape[0]) if ctx.needs_input_grad[0] else None
        db = correlate(c, h, ctx.algebra, b.shape[0]) if ctx.needs_input_grad[1] else None
        return dc, db, None, None
