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
        candidates: Columns of N points, spread uniformly.
        magnitude: The residual's magnitude |r| at each, `(N,)`, of any scale.
        n: The number of points to choose, at most N.
        k: The power, at least 0.
        c: The offset, at least 0.
        generator: The source of random numbers; torch's global generator by default.

    Returns:
        Columns of n points.

    Raises:
        UserError: the magnitudes do not fit the candidates, are not finite or negative, k or c is negative,
            or n exceeds the candidates with a probability above zero.

    Example:
        >>> candidates = {"x": torch.tensor([0.0, 1.0, 2.0])}
        >>> residual_adaptive(candidates, magnitude=torch.tensor([0.0, 3.0, 1.0]), n=2, c=0.0)["x"].sort().values
        tensor([1., 2.])
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
