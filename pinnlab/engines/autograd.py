"""Nested reverse-mode differentiation: the classical PINN engine, and the reference for n-TangentProp."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from pinnlab.engines.base import Engine, by_name
from pinnlab.jets import Algebra, Field, MultiIndex
from pinnlab.jets.jet import assemble
from pinnlab.jets.rules.activations import layer_norm


class Traced(Field):
    """A tensor with the leaf tensors of the coordinates that it was computed from.

    Attributes:
        leaves: Per coordinate axis tensors `(N,)` that require gradients: one for each place that it was computed from.
    """

    def __init__(self, value: Tensor, leaves: Sequence[tuple[Tensor, ...]], axis: int | range | None = None) -> None:
        """Wraps a tensor whose first dimension runs over the points of the leaves."""
        self._value = value
        self.leaves = leaves
        self.axis = axis

    @property
    def value(self) -> Tensor:
        """The values, `(N, ...)`."""
        return self._value

    def differentiate(self, axis: int) -> Traced:
        """∂/∂x_axis by reverse mode."""
        return Traced(self._along(axis), self.leaves)

    def _along(self, axis: int) -> Tensor:
        if not self._value.requires_grad:
            return torch.zeros_like(self._value)
        leaves = self.leaves[axis]
        with torch.enable_grad():
            flat = self._value.reshape(len(leaves[0]), -1)
            # Points do not see each other, so the gradient of the sum over points holds every point's derivative. Where
            # there are several places they move together, and their derivatives add up.
            slopes = [
                torch.stack(torch.autograd.grad(column.sum(), leaves, create_graph=True, materialize_grads=True)).sum(0)
                for column in flat.unbind(-1)
            ]
            return torch.stack(slopes, -1).reshape(self._value.shape)

    def derivative(self, alpha: MultiIndex) -> Tensor:
        """The values of ∂^α, `(N, ...)`."""
        field = self
        for axis, count in enumerate(alpha):
            for _ in range(count):
                field = Traced(field._along(axis), self.leaves)
        return field.value

    @classmethod
    def apply(cls, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Runs the function on the tensors and wraps what it returns."""
        leaves: list[Sequence[tuple[Tensor, ...]]] = []

        def strip(leaf: object) -> object:
            if isinstance(leaf, Traced):
                leaves.append(leaf.leaves)
                return leaf.value
            return leaf

        plain_args, plain_kwargs = tree_map(
            strip, (tuple(args), dict(kwargs)), is_leaf=lambda leaf: isinstance(leaf, Field)
        )
        # Under no_grad (a validation step) an expression would lose its graph and pass for a constant.
        with torch.enable_grad():
            result = function(*plain_args, **plain_kwargs)
        union = leaves[0] if all(some is leaves[0] for some in leaves) else _union(leaves)
        return tree_map(lambda leaf: cls(leaf, union) if isinstance(leaf, Tensor) else leaf, result)


def _union(leaves: Sequence[Sequence[tuple[Tensor, ...]]]) -> list[tuple[Tensor, ...]]:
    """The leaf tensors of all, by axis, each once."""
    by_axis = zip(*leaves, strict=True)
    return [tuple({id(leaf): leaf for tensors in axis for leaf in tensors}.values()) for axis in by_axis]


class _LayerNormByFormula(TorchFunctionMode):
    """Evaluates layer normalisation by its formula: torch's fused kernel is wrong from the third derivative on."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return (layer_norm if func is F.layer_norm else func)(*args, **(kwargs or {}))


class Autograd(Engine):
    """Nested `torch.autograd.grad`: every derivative differentiates the graph of the one before.

    The graph grows exponentially with the order. Chickering (2024) counts 2^{n+1} d + 2 nodes for order n and depth d.
    Torch's graph also has all products and sums of the activations' derivatives, and grows up to threefold with every
    order.

    Example:
        >>> import torch
        >>> from pinnlab.engines import NTP, Autograd
        >>> from pinnlab.jets import IndexSet
        >>> network = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
        >>> given = (network, {"x": torch.rand(5)}, ("u",), IndexSet.simplex(1, 2))
        >>> traced, jets = Autograd().fields(*given), NTP().fields(*given)
        >>> second = [fields["u"].d(fields["x"], fields["x"]).value for fields in (traced, jets)]
        >>> torch.allclose(*second, atol=1e-5)
        True
    """

    def fields(
        self, network: nn.Module, coordinates: Mapping[str, Tensor], outputs: Sequence[str], indices: Algebra
    ) -> dict[str, Field]:
        """See `Engine.fields`; derivatives are computed when they are asked for."""
        points, axes = assemble(coordinates)
        with torch.enable_grad(), _LayerNormByFormula():
            leaves = [column.clone().requires_grad_() for column in points.detach().unbind(-1)]
            points = torch.stack(leaves, -1)
            columns = by_name(network(points), outputs)
        each = [(leaf,) for leaf in leaves]
        fields: dict[str, Field] = {
            name: Traced(leaves[axis] if isinstance(axis, int) else points[:, axis.start : axis.stop], each, axis)
            for name, axis in axes.items()
        }
        return fields | {name: Traced(column, each) for name, column in columns.items()}
