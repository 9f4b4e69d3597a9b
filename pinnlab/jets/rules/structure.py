"""Rules for functions that act on all coefficients alike: linear maps, and changes of shape."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pinnlab.jets.field import Field
from pinnlab.jets.jet import Jet, rule
from pinnlab.jets.series.operation import Operation
from pinnlab.jets.series.product import front, pad


class _Linear(Operation):
    """(x, W, b) ↦ x Wᵀ with b added to the values alone: one matrix product for the whole stack."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        out = x @ weight.mT
        out[0].add_(bias)
        return out

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        x, weight, _ = inputs
        ctx.save_for_backward(x, weight)
        ctx.save_for_forward(x, weight)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        rows = g.reshape(-1, g.shape[-1])
        dx = g @ weight if ctx.needs_input_grad[0] else None
        dw = rows.mT @ x.reshape(-1, x.shape[-1]) if ctx.needs_input_grad[1] else None
        db = g[0].reshape(-1, g.shape[-1]).sum(0) if ctx.needs_input_grad[2] else None
        return dx, dw, db

    @staticmethod
    def jvp(ctx: Any, dx: Tensor | None, dw: Tensor | None, db: Tensor | None) -> Tensor:
        x, weight = ctx.saved_tensors
        out = x.new_zeros(*x.shape[:-1], weight.shape[0])
        if dx is not None:
            out = out + dx @ weight.mT
        if dw is not None:
            out = out + x @ dw.mT
        if db is not None:
            out = torch.cat((out[:1] + db, out[1:]))
        return out

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, int | None, int | None], x: Tensor, weight: Tensor, bias: Tensor
    ) -> tuple[Tensor, int]:
        if in_dims[1] is None and in_dims[2] is None:
            assert in_dims[0] is not None
            return _Linear.apply(x.movedim(in_dims[0], 1), weight, bias), 1
        size = info.batch_size
        x = front(x, in_dims[0], size)
        weight = weight.expand(size, -1, -1) if in_dims[1] is None else weight.movedim(in_dims[1], 0)
        bias = bias.expand(size, -1) if in_dims[2] is None else bias.movedim(in_dims[2], 0)
        single = x.ndim == 3  # one point for each weight: a batch of one
        if single:
            x = x.unsqueeze(2)
        lead = [1] * (x.ndim - 4)  # dimensions of the batch between the mapped one and the matrices
        out = x @ weight.reshape(size, *lead, *weight.shape[1:]).mT
        out = torch.cat((out[:1] + bias.reshape(size, *lead, 1, -1), out[1:]))
        return out.squeeze(2) if single else out, 1


class _OwnLinear(Operation):
    """(x, W, b) ↦ W_n x_n + b_n with weights `(N, out, in)` and biases `(N, out)` for every point n.

    Copies of one weight, expanded without memory, still take one matrix product for the stack. The gradient with
    respect to each point's own copy is the outer product of its signal and its input, so that all rows of a Jacobian
    cost about one backward pass.
    """

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        out = _own_product(x, weight.mT)
        out[0].add_(bias)
        return out

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        x, weight, _ = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        dx = _own_product(g, weight) if ctx.needs_input_grad[0] else None
        dw = torch.bmm(g.permute(1, 2, 0), x.transpose(0, 1)) if ctx.needs_input_grad[1] else None
        return dx, dw, g[0]


def _own_product(x: Tensor, matrices: Tensor) -> Tensor:
    """The products x_n M_n of a stack `(K, N, a)` and matrices `(N, a, b)`; one product if all share their memory."""
    if matrices.stride(0) == 0:
        return x @ matrices[0]
    return torch.bmm(x.transpose(0, 1), matrices).transpose(0, 1)


@rule(F.linear)
def linear(x: Jet, weight: Tensor, bias: Tensor | None = None) -> Jet:
    """The affine map x Wᵀ + b, with one weight for all points or, where it is `(N, out, in)`, one for each."""
    if weight.ndim == 3:
        own = weight.new_zeros(weight.shape[:2]) if bias is None else bias
        return x.like(_OwnLinear.apply(x.coefficients, weight, own))
    if bias is None:
        return x.like(x.coefficients @ weight.mT)
    return x.like(_Linear.apply(x.coefficients, weight, bias))


def _shift(dim: int | Sequence[int]) -> Any:
    """A dimension of the values as a dimension of the stack."""
    if isinstance(dim, int):
        return dim + 1 if dim >= 0 else dim
    return tuple(d + 1 if d >= 0 else d for d in dim)


@rule(Tensor.__getitem__, operator.getitem)
def getitem(x: Jet, item: Any) -> Jet:
    """Indexing of the values' dimensions."""
    items = item if isinstance(item, tuple) else (item,)
    if sum(isinstance(i, Tensor | list) for i in items) < 2:
        return x.like(x.coefficients[(slice(None), *items)])
    # Several index tensors may move their dimension to the front; with the stack as last dimension this does no harm.
    last = (slice(None),) if any(i is Ellipsis for i in items) else ()
    return x.like(x.coefficients.movedim(0, -1)[(*items, *last)].movedim(-1, 0))


def _sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else tuple(sizes)


@rule(torch.reshape, Tensor.reshape, Tensor.view)
def reshape(x: Jet, *shape: Any) -> Jet:
    """A new shape for the values."""
    return x.like(x.coefficients.reshape(x.coefficients.shape[0], *_sizes(shape)))


@rule(Tensor.expand)
def expand(x: Jet, *sizes: Any) -> Jet:
    """Expands the values."""
    sizes = _sizes(sizes)
    c = x.coefficients[(slice(None), *[None] * (len(sizes) - x.ndim))]
    return x.like(c.expand(-1, *sizes))


@rule(torch.permute, Tensor.permute)
def permute(x: Jet, *dims: Any) -> Jet:
    """Permutes the values' dimensions."""
    return x.like(x.coefficients.permute(0, *(d % x.ndim + 1 for d in _sizes(dims))))


@rule(Tensor.contiguous, torch.clone, Tensor.clone)
def contiguous(x: Jet) -> Jet:
    """The jet itself: nothing changes it in place."""
    return x


@rule(torch.unsqueeze, Tensor.unsqueeze)
def unsqueeze(x: Jet, dim: int) -> Jet:
    """A new dimension of size 1 of the values."""
    return x.like(x.coefficients.unsqueeze(_shift(dim)))


@rule(torch.squeeze, Tensor.squeeze)
def squeeze(x: Jet, dim: int | tuple[int, ...] | None = None) -> Jet:
    """Drops the given dimensions of the values, or all, where their size is 1."""
    return x.like(x.coefficients.squeeze(_shift(tuple(range(x.ndim)) if dim is None else dim)))


@rule(torch.unbind, Tensor.unbind)
def unbind(x: Jet, dim: int = 0) -> tuple[Jet, ...]:
    """The slices along a dimension of the values."""
    return tuple(x.like(c) for c in x.coefficients.unbind(_shift(dim)))


@rule(torch.transpose, Tensor.transpose)
def transpose(x: Jet, dim0: int, dim1: int) -> Jet:
    """Swaps two of the values' dimensions."""
    return x.like(x.coefficients.transpose(_shift(dim0), _shift(dim1)))


@rule(torch.movedim, Tensor.movedim)
def movedim(x: Jet, source: int, destination: int) -> Jet:
    """Moves one of the values' dimensions."""
    return x.like(x.coefficients.movedim(_shift(source), _shift(destination)))


@rule(torch.flatten, Tensor.flatten)
def flatten(x: Jet, start_dim: int = 0, end_dim: int = -1) -> Jet:
    """Flattens a range of the values' dimensions."""
    return x.like(x.coefficients.flatten(_shift(start_dim), _shift(end_dim)))


@rule(torch.chunk, Tensor.chunk)
def chunk(x: Jet, chunks: int, dim: int = 0) -> tuple[Jet, ...]:
    """Splits into so many parts."""
    return tuple(x.like(c) for c in x.coefficients.chunk(chunks, _shift(dim)))


@rule(torch.split, Tensor.split)
def split(x: Jet, split_size_or_sections: Any, dim: int = 0) -> tuple[Jet, ...]:
    """Splits into parts of the given sizes."""
    return tuple(x.like(c) for c in x.coefficients.split(split_size_or_sections, _shift(dim)))


def _reduction(function: Callable[..., Tensor]) -> Callable[..., Jet]:
    def implementation(x: Jet, dim: Any = None, keepdim: bool = False) -> Jet:
        dims = tuple(range(1, x.coefficients.ndim)) if dim is None else _shift(dim)
        return x.like(function(x.coefficients, dims, keepdim=keepdim))

    return implementation


rule(torch.sum, Tensor.sum)(_reduction(torch.sum))
rule(torch.mean, Tensor.mean)(_reduction(torch.mean))


def gather(parts: Sequence[Jet | Tensor]) -> tuple[Jet, list[Tensor]]:
    """A model jet and the stacks of all parts over one index set; tensors become constants."""
    jets = [part for part in parts if isinstance(part, Jet)]
    indices = jets[0].indices
    for jet in jets[1:]:
        if jet.indices is not indices:
            indices = indices.intersection(jet.indices)
    stacks = []
    for part in parts:
        if isinstance(part, Field):
            assert isinstance(part, Jet)
            stacks.append(part.on(indices).coefficients)
        else:
            stacks.append(part[None])
    rows = max(map(len, stacks))
    return jets[0].on(indices), [pad(stack, rows) for stack in stacks]


@rule(torch.cat, torch.concat, torch.concatenate)
def cat(tensors: Sequence[Jet | Tensor], dim: int = 0) -> Jet:
    """Concatenates along a dimension of the values."""
    model, stacks = gather(tensors)
    return model.like(torch.cat(stacks, _shift(dim)))


@rule(torch.stack)
def stack(tensors: Sequence[Jet | Tensor], dim: int = 0) -> Jet:
    """Stacks along a new dimension of the values."""
    model, stacks = gather(tensors)
    return model.like(torch.stack(stacks, _shift(dim)))


@rule(torch.zeros_like)
def zeros_like(x: Jet) -> Jet:
    """The constant 0."""
    return x.like(torch.zeros_like(x.coefficients))


@rule(torch.ones_like)
def ones_like(x: Jet) -> Jet:
    """The constant 1."""
    return zeros_like(x) + 1
