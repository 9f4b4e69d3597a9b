"""Rules for what acts on each coefficient alike: linear maps, and the bookkeeping of dimensions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pinnlab.jets.field import Field
from pinnlab.jets.jet import Jet, rule
from pinnlab.jets.product import front, pad, signed


class _Linear(torch.autograd.Function):
    """(x, W, b) ↦ x Wᵀ with b added to the values alone: one matrix product for the whole stack."""

    @staticmethod
    @signed
    def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        out = x @ weight.mT
        out[0] += bias
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
        lead = [1] * (x.ndim - 3)  # dimensions of the batch between the mapped one and the features
        out = (
            x @ weight.reshape(size, *lead, *weight.shape[1:]).mT if lead else (x.unsqueeze(-2) @ weight.mT).squeeze(-2)
        )
        return torch.cat((out[:1] + bias.reshape(size, *lead, -1), out[1:])), 1


@rule(F.linear)
def linear(x: Jet, weight: Tensor, bias: Tensor | None = None) -> Jet:
    """X Wᵀ + b."""
    if bias is None:
        return x.like(x.coefficients @ weight.mT)
    return x.like(_Linear.apply(x.coefficients, weight, bias))


def _shift(dim: int | Sequence[int]) -> Any:
    """A dimension of the values as a dimension of the stack."""
    if isinstance(dim, int):
        return dim + 1 if dim >= 0 else dim
    return tuple(d + 1 if d >= 0 else d for d in dim)


def _each(x: Jet, result: Any) -> Any:
    """A result on the stack, or a tuple of such, as jets."""
    return x.like(result) if isinstance(result, Tensor) else tuple(x.like(part) for part in result)


@rule(Tensor.__getitem__, operator.getitem)
def getitem(x: Jet, item: Any) -> Jet:
    """Indexing of the values' dimensions."""
    items = item if isinstance(item, tuple) else (item,)
    return x.like(x.coefficients[(slice(None), *items)])


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


@rule(Tensor.contiguous)
def contiguous(x: Jet) -> Jet:
    """The jet itself."""
    return x


def _along(function: Callable[..., Any]) -> Callable[..., Any]:
    """A rule for torch functions with one dimension argument behind the tensor."""

    def implementation(x: Jet, dim: Any = -1, *args: Any, **kwargs: Any) -> Any:
        return _each(x, function(x.coefficients, _shift(dim), *args, **kwargs))

    return implementation


for _function in (torch.unsqueeze, torch.squeeze):
    rule(_function, getattr(Tensor, _function.__name__))(_along(_function))


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


rule(torch.zeros_like)(lambda x, **kwargs: torch.zeros_like(x.value, **kwargs))
rule(torch.ones_like)(lambda x, **kwargs: torch.ones_like(x.value, **kwargs))
