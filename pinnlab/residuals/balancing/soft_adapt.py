"""SoftAdapt: balancing by the rates at which losses change."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from pinnlab.errors import UserError
from pinnlab.residuals.balancing.base import Balancing, State
from pinnlab.residuals.balancing.snapshot import Snapshot


def soft_adapt_weights(
    losses: Mapping[str, float], before: Mapping[str, float], beta: float, loss_weighted: bool = True
) -> dict[str, float]:
    """λ_c = m L_c e^{β s_c} / Σ_k L_k e^{β s_k}, with the normalised rates s_c = (L_c − L'_c) / Σ_k |L_k − L'_k|.

    Args:
        losses: L_c by constraint.
        before: L'_c, the losses at the last update.
        beta: β.
        loss_weighted: Whether L_c stands before the exponential, 1 otherwise.
    """
    now = torch.tensor(list(losses.values()), dtype=torch.float64)
    rates = now - torch.tensor([before[name] for name in losses], dtype=torch.float64)
    size = rates.abs().sum()
    if size > 0:
        rates = rates / size
    grown = torch.exp(beta * rates - (beta * rates).max()) * (now if loss_weighted else 1.0)
    total = grown.sum()
    weights = len(losses) * grown / total if total > 0 else torch.ones_like(grown)
    return dict(zip(losses, weights.tolist(), strict=True))


class SoftAdapt(Balancing):
    """Larger weights for the constraints whose losses are large and fall slowly, or rise.

    λ_c = m L_c e^{β s_c} / Σ_k L_k e^{β s_k}, with the normalised rate s_c = (L_c − L'_c) / Σ_k |L_k − L'_k| since the
    last update and m the number of constraints (Heydari, Thompson & Mehta 2019, arXiv 1912.12355: loss-weighted,
    normalised). The weights' mean is 1, where the paper's sum is. An update costs one evaluation of the loss without
    gradients.

    Args:
        every: Training steps between two updates.
        beta: β; a positive one favours losses that fall slowly.
        loss_weighted: Whether L_c stands before the exponential.
        until: The training step from which the weights no longer change; None to update them throughout.

    Raises:
        UserError: if a number is out of its range.

    Example:
        >>> balancing = SoftAdapt(every=10)  # for pinnlab.solve(equation, balancing=balancing)
        >>> losses, before = {"interior": 1.0, "walls": 1.0}, {"interior": 2.0, "walls": 1.0}
        >>> {name: round(weight, 3) for name, weight in soft_adapt_weights(losses, before, beta=0.1).items()}
        {'interior': 0.95, 'walls': 1.05}
    """

    def __init__(
        self, every: int = 10, beta: float = 0.1, loss_weighted: bool = True, until: int | None = None
    ) -> None:
        super().__init__(every, until)
        if not abs(beta) < float("inf"):
            raise UserError(f"SoftAdapt: beta must be finite, got {beta}")
        self.beta, self.loss_weighted = beta, loss_weighted

    def update(self, state: State, here: Snapshot) -> State:
        """See the class."""
        before = state.get("losses", here.losses)
        return {
            "weights": soft_adapt_weights(here.losses, before, self.beta, self.loss_weighted),
            "losses": here.losses,
        }
