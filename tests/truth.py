"""Slow and obvious derivatives that everything else is held against."""

from collections.abc import Callable, Iterable, Sequence

import mpmath
import torch
from torch import Tensor, nn

from pinnlab.jets import IndexSet, MultiIndex


def nested(function: Callable[[Tensor], Tensor], points: Tensor, indices: Iterable[MultiIndex]) -> list[Tensor]:
    """∂^α of a pointwise function `(N, d) → (N, ...)` by nested reverse mode, in the order of the indices.

    Every partial derivative differentiates one of the next lower order, so that mixed ones share their work.
    """
    leaves = [column.detach().clone().requires_grad_() for column in points.unbind(-1)]
    value = function(torch.stack(leaves, -1))
    wanted = list(indices)
    found = {(0,) * len(leaves): value}
    for alpha in IndexSet.closure(wanted):
        if alpha not in found:
            axis = next(i for i, a in enumerate(alpha) if a)
            below = found[(*alpha[:axis], alpha[axis] - 1, *alpha[axis + 1 :])]
            found[alpha] = _along(below, leaves[axis])
    return [found[alpha] for alpha in wanted]


def _along(value: Tensor, leaf: Tensor) -> Tensor:
    if not value.requires_grad:
        return torch.zeros_like(value)
    columns = value.reshape(len(leaf), -1).unbind(-1)
    slopes = [
        torch.autograd.grad(column.sum(), leaf, create_graph=True, materialize_grads=True)[0] for column in columns
    ]
    return torch.stack(slopes, -1).reshape(value.shape)


ACTIVATIONS: dict[str, Callable[[mpmath.mpf], mpmath.mpf]] = {
    "Tanh": mpmath.tanh,
    "Sine": mpmath.sin,
    "Sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "Softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "SiLU": lambda x: x / (1 + mpmath.exp(-x)),
    "GELU": lambda x: x * mpmath.ncdf(x),
    "Softsign": lambda x: x / (1 + abs(x)),
}


def exactly(network: nn.Sequential) -> Callable[[Sequence[mpmath.mpf]], mpmath.mpf]:
    """A network of linear layers and activations with one output, over numbers of any precision."""

    def evaluate(x: Sequence[mpmath.mpf]) -> mpmath.mpf:
        values = list(x)
        for layer in network:
            if isinstance(layer, nn.Linear):
                values = [
                    mpmath.fdot(row, values) + bias
                    for row, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
                ]
            else:
                values = [ACTIVATIONS[type(layer).__name__](value) for value in values]
        (value,) = values
        return value

    return evaluate


def taylor(
    network: nn.Sequential, point: Sequence[float], direction: Sequence[float], order: int, digits: int = 50
) -> list[mpmath.mpf]:
    """The Taylor coefficients of s ↦ network(point + s · direction) at s = 0, to so many digits."""
    with mpmath.workdps(digits):
        function = exactly(network)
        return mpmath.taylor(
            lambda s: function([p + s * v for p, v in zip(point, direction, strict=True)]), mpmath.mpf(0), order
        )


def agree(found: Tensor, truth: Tensor, tolerance: float, what: object = "") -> None:
    """Asserts equality to a tolerance relative to the largest entry of the truth (absolute where that is zero)."""
    assert found.shape == truth.shape, (what, found.shape, truth.shape)
    found, truth = found.detach(), truth.detach()
    error = float((found - truth).abs().max())
    scale = float(truth.abs().max()) or 1.0
    assert error <= tolerance * scale, f"{what}: off by {error / scale:.2e} of the largest value {scale:.2e}"
