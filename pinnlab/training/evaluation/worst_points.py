"""Points where a residual is largest, which a fixed set of held-out points may miss."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinnlab.collocation import Sobol
from pinnlab.geometry import Points, Region, concatenate, select, size

_KEPT, _NEAR, _ROUNDS = 64, 16, 4
_SEED = 77


def worst_points(region: Region, magnitude: Callable[[Points], Tensor], candidates: int = 2048) -> Points:
    """Points of a region where a function is largest, found in rounds.

    Of quasi-random candidates the best are kept; in every round each gets neighbours at normally distributed offsets,
    of the candidates' distance at first and half of it in each further round. Points where the function is not finite
    are left out. Deterministic.

    Args:
        region: As many dimensions as its points have coordinates, so that neighbours can be tested for lying within.
        magnitude: Points ↦ the function there, `(N,)`.
        candidates: How many to begin with; one in 64 is kept.

    Returns:
        The best points, in descending order.
    """
    found = Sobol().sample(region, candidates, _SEED)
    sizes = magnitude(found)
    spread = {name: (c.amax(0) - c.amin(0)) * size(found) ** (-1 / region.dimension) for name, c in found.items()}
    generator = torch.Generator().manual_seed(_SEED)
    for shrink in range(_ROUNDS + 1):
        finite = sizes.isfinite()
        found, sizes = select(found, finite), sizes[finite]
        best = sizes.topk(min(max(1, candidates // _KEPT), len(sizes))).indices
        found, sizes = select(found, best), sizes[best]
        if shrink == _ROUNDS or not len(sizes):
            break
        near = {name: column.repeat(_NEAR, *[1] * (column.ndim - 1)) for name, column in found.items()}
        for name, column in near.items():
            noise = torch.randn(column.shape, generator=generator, dtype=column.dtype).to(column.device)
            near[name] = column + noise * spread[name] / 2**shrink
        near = select(near, region.contains(near))
        found, sizes = concatenate([found, near]), torch.cat((sizes, magnitude(near)))
    return found
