"""Values at the points that remember their origin: in its dry run a residual gets them for data and field values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from pinnlab.errors import UserError
from pinnlab.jets.series.algebra import MultiIndex

_TRUTHS = (Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__, Tensor.item, Tensor.tolist)
"""The methods that turn a tensor into numbers, on which Python can branch."""

ADVICE = (
    "write it as a function of the coordinates (a Table makes one of values), differentiate before you multiply, give "
    "its derivative as a column too, or write pieces as one constraint each and what holds at the interface as another"
)
"""The advice of messages about a derivative that does not exist."""

BRANCHES = (
    "the residual branches on the values of a field, or turns them into numbers, and may not: choose between two "
    "expressions by torch.where(x < 0.5, a, b), or write two constraints"
)


TOGETHER = (
    "a residual may use only the values at its own point, and not branch on them: no mean, sum, maximum, order or "
    "index over the points (over the components of a field of shape (N, d), say dim=-1). For rows that use other "
    "points declare a Whole in place of the Constraint, or give the constraint places"
)
"""The message about a residual that mixes points under a local constraint."""


@dataclass(frozen=True)
class Origin:
    """Where values come from.

    Attributes:
        origins: Their sources in words, as `the column 'k'`.
        points: The number of points of the dry run.
        shifts: The derivatives of the network that they need.
        laplacians: The groups of axes over which they need a Laplacian.
        together: Whether a residual may take the points together.
    """

    origins: frozenset[str]
    points: int
    shifts: frozenset[MultiIndex] = frozenset()
    laplacians: frozenset[tuple[int, ...]] = frozenset()
    together: bool = False

    @staticmethod
    def union(first: Origin, *others: Origin) -> Origin:
        """The origin of a result that is computed from values of these origins."""
        return Origin(
            first.origins.union(*(other.origins for other in others)),
            first.points,
            first.shifts.union(*(other.shifts for other in others)),
            first.laplacians.union(*(other.laplacians for other in others)),
            first.together,
        )


class Values(Tensor):
    """A tensor of values at the points that knows its origin, in words: a column of data, the values of a field.

    Results computed from values are values of the same origin. In a dry run only the shape of a field is known, and its
    values live on the meta device; the values of a column are numbers. Outside the dry run values are ordinary tensors.
    """

    origin: Origin
    """Where the values come from."""

    @classmethod
    def of(cls, tensor: Tensor, origin: Origin) -> Values:
        """The tensor with its origin."""
        self = tensor.as_subclass(cls)
        self.origin = origin
        return self

    def d(self, *_: object) -> Any:
        """Refused: values have no derivative.

        Raises:
            UserError: always.
        """
        raise UserError(f"a derivative is asked of {', '.join(sorted(self.origin.origins))}, which has none: {ADVICE}")

    apply = axes = laplacian = d

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
        values = [tensor for tensor in tensors if isinstance(tensor, Values)]
        origin = Origin.union(*(value.origin for value in values))
        with torch._C.DisableTorchFunctionSubclass():
            unknown = any(tensor.is_meta for tensor in tensors)
            if func in _TRUTHS and (unknown or (func is Tensor.__bool__ and tensors[0].numel() > 1)):
                raise UserError(BRANCHES)

            def plain(leaf: Any) -> Any:
                if not isinstance(leaf, Tensor):
                    return leaf
                return numbers(leaf.to("meta") if unknown else leaf)

            result = func(*tree_map(plain, tuple(args)), **tree_map(plain, dict(kwargs or {})))
            before = any(origin.points in value.shape for value in values)

            def known(leaf: Any) -> Any:
                if not isinstance(leaf, Tensor):
                    return leaf
                if origin.together:
                    return cls.of(leaf, origin)
                check_local(getattr(func, "__name__", str(func)), leaf.shape, origin.points, before)
                return cls.of(leaf, origin)

            return tree_map(known, result)


def check_local(name: str, shape: Sequence[int], points: int, before: bool) -> None:
    """Refuses a result that lacks an entry for each point, or has an entry for each pair of points.

    Args:
        name: The function.
        shape: The shape of its result.
        points: The number of points.
        before: Whether its arguments had an entry for each point.

    Raises:
        UserError: if the result is of this kind.
    """
    named = "indexing" if name == "__getitem__" else name
    if before and points not in shape:
        raise UserError(f"{named} takes points together or apart, and {TOGETHER}")
    if list(shape).count(points) > 1:
        raise UserError(f"{named} gives an entry for every pair of points, (N, N), as (N,) beside (N, 1): {TOGETHER}")


def numbers(tensor: Tensor) -> Tensor:
    """The tensor without its origins."""
    return tensor.as_subclass(Tensor) if isinstance(tensor, Values) else tensor
