"""Relative loss balancing with random lookback."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from pinnlab.residuals.balancing.base import Balancing, State, check_fraction, check_positive
from pinnlab.residuals.balancing.snapshot import Snapshot


def relative_weights(losses: Mapping[str, float], before: Mapping[str, float], temperature: float) -> dict[str, float]:
    """λ̂_c = m softmax_c(L_c / (T L'_c)), with L' earlier losses and m the number of constraints: their mean is 1.

    Args:
        losses: L_c by constraint.
        before: L'_c by constraint.
        temperature: T.
    """
    now, then = (torch.tensor([of[name] for name in losses], dtype=torch.float64) for of in (losses, before))
    limits = torch.finfo(now.dtype)
    ratios = (now / (temperature * then.clamp(min=limits.tiny))).clamp(max=limits.max)
    return dict(zip(losses, (len(losses) * torch.softmax(ratios, 0)).tolist(), strict=True))


class ReLoBRaLo(Balancing):
    """Larger weights for the constraints whose losses have fallen least: relative loss balancing with random lookback.

    With λ̂(t') = m softmax_c(L_c / (T L_c(t'))) of the losses now and at an earlier update t',

        λ ← α (ρ λ + (1 − ρ) λ̂(0)) + (1 − α) λ̂(t − 1),

    where ρ is 1 with the probability `lookback` and 0 otherwise: then the losses of the first update are looked back to
    (Bischof & Kraus 2021, arXiv 2110.09813). Draws depend on the seed and on the number of the update alone. The mean
    of the weights is 1. The default values are those of the authors' code. An update costs one evaluation of the loss
    without gradients.

    Args:
        every: Training steps between two updates.
        alpha: α, from 0 to 1: how much of the weights before remains.
        lookback: The expected value of ρ, from 0 to 1.
        temperature: T; a smaller one separates the weights more.
        seed: Of the draws of ρ.
        until: The training step from which the weights no longer change; None to update them throughout.

    Raises:
        UserError: if a number is out of its range.

    Example:
        >>> balancing = ReLoBRaLo()  # for pinnlab.solve(equation, balancing=balancing)
        >>> losses, before = {"interior": 1.0, "walls": 1.0}, {"interior": 2.0, "walls": 1.0}
        >>> {name: round(weight, 3) for name, weight in relative_weights(losses, before, temperature=1.0).items()}
        {'interior': 0.755, 'walls': 1.245}
    """

    def __init__(
        self,
        every: int = 1,
        alpha: float = 0.999,
        lookback: float = 0.99,
        temperature: float = 0.1,
        seed: int = 0,
        until: int | None = None,
    ) -> None:
        super().__init__(every, until)
        check_fraction(self, alpha=alpha, lookback=lookback)
        check_positive(self, temperature=temperature)
        self.alpha, self.lookback, self.temperature, self.seed = alpha, lookback, temperature, seed

    def update(self, state: State, here: Snapshot) -> State:
        """See the class."""
        losses, count = here.losses, state.get("updates", 0)
        first, last = state.get("first", losses), state.get("last", losses)
        before = {name: self.weights(state).get(name, 1.0) for name in losses}
        history = before if self._keeps(count) else relative_weights(losses, first, self.temperature)
        latest = relative_weights(losses, last, self.temperature)
        weights = {name: self.alpha * history[name] + (1 - self.alpha) * latest[name] for name in losses}
        return {"weights": weights, "first": first, "last": losses, "updates": count + 1}

    def _keeps(self, update: int) -> bool:
        """ρ of an update."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + update)
        return float(torch.rand((), generator=generator, dtype=torch.float64)) < self.lookback
