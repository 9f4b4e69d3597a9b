"""Checks of a torch function in the dry run: how many derivatives its result has, and whether it mixes points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from pinnlab.jets.field import Field
from pinnlab.jets.values import Values, numbers

DERIVATIVES: dict[Callable[..., Any], Callable[[Mapping[str, Any]], int]] = {}
"""Torch functions in pieces → how many derivatives they have, by their keyword arguments. `limited` adds to it."""


def limited(derivatives: int | Callable[[Mapping[str, Any]], int], *functions: Callable[..., Any]) -> None:
    """Says of torch functions that they have so many derivatives: 0 if they jump, 1 if they have kinks."""
    count = derivatives if callable(derivatives) else lambda _: derivatives
    DERIVATIVES.update(dict.fromkeys(functions, count))


def mixes(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], points: int) -> bool:
    """Whether an entry of the result depends on a point other than its own: tried with NaN at one point."""
    spoilt = points // 2

    def real(leaf: object) -> object:
        if isinstance(leaf, Field):
            ones = torch.ones(leaf.shape, dtype=leaf.dtype)
            if leaf.shape[:1] == (points,) and ones.is_floating_point():
                ones[spoilt] = torch.nan
            return ones
        if isinstance(leaf, Values):
            return torch.ones(leaf.shape, dtype=leaf.dtype) if leaf.is_meta else numbers(leaf)
        return leaf

    plain_args, plain_kwargs = tree_map(real, (tuple(args), dict(kwargs)), is_leaf=lambda leaf: isinstance(leaf, Field))
    try:
        result = function(*plain_args, **plain_kwargs)
    except (RuntimeError, TypeError, ValueError, IndexError):
        return True  # the message comes from the dry run on shapes alone
    others = torch.arange(points) != spoilt
    return any(
        leaf.shape[:1] != (points,) or bool(leaf[others].isnan().any())
        for leaf in tree_leaves(result)
        if isinstance(leaf, Tensor)
    )


def contents(
    function: Callable[..., Any], name: str, leaves: Sequence[object], kwargs: Mapping[str, Any], points: int
) -> dict[str, int]:
    """The parts of a result that have only so many derivatives, in words, and how many each of them has."""
    found: dict[str, int] = {}
    for leaf in leaves:
        if isinstance(leaf, Field):
            for what, count in leaf.left.items():
                found[what] = min(count, found.get(what, count))
        elif isinstance(leaf, Values):
            found |= dict.fromkeys(sorted(leaf.origin.origins), 0)
        elif isinstance(leaf, Tensor) and points in leaf.shape and not isinstance(leaf, nn.Parameter):
            found[f"a tensor of {points} values, one for each point"] = 0
    if function in DERIVATIVES:
        found[f"{name}(…)"] = DERIVATIVES[function](kwargs)
    return found


OVER_ENTRIES = frozenset(
    [
        "argsort",
        "cummax",
        "cummin",
        "cumprod",
        "cumsum",
        "flip",
        "flipud",
        "log_softmax",
        "logcumsumexp",
        "msort",
        "roll",
        "softmax",
        "softmin",
        "sort",
    ]
)
"""Functions whose entries depend on one another: of a field of shape (N,), on other points."""
