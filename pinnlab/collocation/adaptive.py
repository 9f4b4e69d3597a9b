"""Residual-based adaptive distribution of points."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry import Points, select, size


def residual_adaptive(
    candidates: Points,
    magnitude: Tensor,
    n: int,
    k: float = 1.0,
    c: float = 1.0,
    generator: torch.Generator | None = None,
) -> Points:
    """Choose n of the candidates, without repetition, where the residual is large.

    The probability of a candidate is in proportion to p = |r|^k / mean(|r|^k) + c: the RAD method of Wu, Zhu,
    Tan, Kartha & Lu (2023). A larger k sharpens the choice, a larger c flattens it.

    Args:
        candidates: columns of N points, spread uniformly.
        magnitude: the residual's magnitude |r| at each, `(N,)`, of any scale.
        n: how many to choose, at most N.
        k: the power, at least 0.
        c: the offset, at least 0.
        generator: the randomness; torch's global one where none is given.

    Returns:
        Columns of n points.

    Raises:
        UserError: the magnitudes do not fit the candidates, are not finite or negative, k or c is negative,
            or n exceeds the candidates with a probability above zero.
    """
    count = size(candidates)
    if magnitude.shape != (count,):
        raise UserError(f"each of {count} candidates needs one residual magnitude; got shape {tuple(magnitude.shape)}")
    if not magnitude.isfinite().all() or (magnitude < 0).any():
        raise UserError("the residual magnitudes at the candidates must be finite and not negative")
    if k < 0 or c < 0:
        raise UserError(f"the power k and the offset c must not be negative; got k = {k}, c = {c}")
    # Scaled to a maximum of 1, so that a high power does not overflow.
    power = (magnitude.detach() / magnitude.max().clamp_min(torch.finfo(magnitude.dtype).tiny)) ** k
    mean = power.mean()
    density = power / torch.where(mean > 0, mean, 1.0) + c
    possible = int((density > 0).sum())
    if not 1 <= n <= possible:
        raise UserError(f"cannot choose {n} of {possible} candidates with a residual; give more candidates")
    return select(candidates, torch.multinomial(density, n, replacement=False, generator=generator))
