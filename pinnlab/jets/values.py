"""Numbers at the points that remember what they are values of: what a residual is shown of data in its dry run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from pinnlab.errors import UserError

_TRUTHS = (Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__, Tensor.item, Tensor.tolist)
"""What turns a tensor into numbers that Python can branch on."""

BRANCHES = (
    "the residual branches on the values of a field, or turns them into numbers, and may not: choose between two "
    "expressions by torch.where(x < 0.5, a, b), or write two constraints"
)


class Values(Tensor):
    """A tensor of values at the points, and in words what they are: a column of data, the values of a field.

    What is computed from values is values of the same origin. Of a field only the shape is known in a dry run, and its
    values live on the meta device; those of a column are numbers. Elsewhere values are ordinary tensors.
    """

    origins: frozenset[str]
    """What they were computed from, as `the column 'k'`."""

    @classmethod
    def of(cls, tensor: Tensor, origins: Iterable[str]) -> Values:
        """The tensor with its origins."""
        self = tensor.as_subclass(cls)
        self.origins = frozenset(origins)
        return self

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Runs the function on the numbers and hands the origins on.

        Raises:
            UserError: if the values of a field are to become numbers.
        """
        if not all(issubclass(kind, Tensor) for kind in types):
            return NotImplemented  # fields know what to do
        leaves = tree_leaves((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        origins = frozenset[str]().union(*(leaf.origins for leaf in tensors if isinstance(leaf, Values)))
        with torch._C.DisableTorchFunctionSubclass():
            unknown = any(tensor.is_meta for tensor in tensors)
            if func in _TRUTHS and (unknown or (func is Tensor.__bool__ and tensors[0].numel() > 1)):
                raise UserError(BRANCHES)

            def plain(leaf: Any) -> Any:
                if not isinstance(leaf, Tensor):
                    return leaf
                return numbers(leaf.to("meta") if unknown else leaf)

            result = func(*tree_map(plain, tuple(args)), **tree_map(plain, dict(kwargs or {})))
            return tree_map(lambda leaf: cls.of(leaf, origins) if isinstance(leaf, Tensor) else leaf, result)


def numbers(tensor: Tensor) -> Tensor:
    """The tensor without its origins."""
    return tensor.as_subclass(Tensor) if isinstance(tensor, Values) else tensor
