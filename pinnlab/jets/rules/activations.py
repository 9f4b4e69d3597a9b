"""Rules for the activation and normalisation functions of `torch.nn`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets.functions import table
from pinnlab.jets.jet import Jet, rule
from pinnlab.jets.rules.arithmetic import apply_elementary

rule(F.tanh)(torch.tanh)
rule(F.sigmoid)(torch.sigmoid)


@rule(F.silu)
def silu(x: Jet, inplace: bool = False) -> Jet:
    """The logistic-weighted x · sigmoid(x)."""
    return apply_elementary(table.SILU, x)


@rule(F.gelu)
def gelu(x: Jet, approximate: str = "none") -> Jet:
    """The normal-weighted x Φ(x), or its tanh approximation."""
    if approximate == "tanh":
        return 0.5 * x * (1 + apply_elementary(table.TANH, math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return apply_elementary(table.GELU, x)


@rule(F.softplus)
def softplus(x: Jet, beta: float = 1.0, threshold: float = 20.0) -> Jet:
    """log(1 + exp(βx)) / β; exact everywhere, torch's linear tail above the threshold is not imitated."""
    return apply_elementary(table.SOFTPLUS, x) if beta == 1 else apply_elementary(table.SOFTPLUS, beta * x) / beta


@rule(F.softsign)
def softsign(x: Jet) -> Jet:
    """The rational x / (1 + |x|)."""
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


def _leaky_slopes(x: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    return torch.where(x > 0, 1.0, negative_slope).to(x.dtype)


rule(torch.relu, Tensor.relu, F.relu)(_piecewise("relu", lambda x, inplace=False: (x > 0).to(x.dtype)))
rule(F.leaky_relu)(_piecewise("leaky_relu", _leaky_slopes))


@rule(F.logsigmoid)
def logsigmoid(x: Jet) -> Jet:
    """The logarithm of the logistic, −softplus(−x)."""
    return -apply_elementary(table.SOFTPLUS, -x)


@rule(F.mish)
def mish(x: Jet, inplace: bool = False) -> Jet:
    """The product x tanh(softplus(x))."""
    return x * apply_elementary(table.TANH, apply_elementary(table.SOFTPLUS, x))


@rule(F.tanhshrink)
def tanhshrink(x: Jet) -> Jet:
    """The difference x − tanh(x)."""
    return x - apply_elementary(table.TANH, x)


@rule(F.softmax, torch.softmax, Tensor.softmax)
def softmax(x: Jet, dim: int, _stacklevel: int = 3, dtype: torch.dtype | None = None) -> Jet:
    """The exponentials along a dimension of the values over their sum."""
    e = apply_elementary(table.EXP, x - x.value.detach().amax(dim, keepdim=True))
    total: Jet = e.sum(dim, True)
    return e / total


@rule(F.dropout)
def dropout(x: Jet, p: float = 0.5, training: bool = True, inplace: bool = False) -> Jet:
    """One mask for all coefficients of a value, in training alone."""
    return x.like(x.coefficients * F.dropout(torch.ones_like(x.value), p)) if training else x


@rule(F.layer_norm)
def layer_norm(
    x: Jet, normalized_shape: Any, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Jet:
    """Layer normalisation over the last dimensions; by torch functions alone, so that tensors may call it too."""
    dims = tuple(range(-len(normalized_shape), 0))
    centred = x - x.mean(dims, True)
    y = centred * torch.rsqrt(torch.square(centred).mean(dims, True) + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias
