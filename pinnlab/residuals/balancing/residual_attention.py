"""Residual-based attention: weights of points that remember where residuals were large."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pinnlab.residuals.balancing.base import OfPoints, State, check_fraction, check_positive
from pinnlab.residuals.balancing.snapshot import Snapshot


def attended(weights: Tensor, squares: Tensor, decay: float, rate: float) -> Tensor:
    """γ λ_i + η |r_i| / max_j |r_j|, `(N,)`; bounded by η / (1 − γ).

    Args:
        weights: λ, `(N,)`.
        squares: |r|², `(N,)`.
        decay: γ.
        rate: η.
    """
    sizes = squares.sqrt()
    largest = sizes.max()
    return decay * weights + (rate * sizes / largest if largest > 0 else 0.0)


class ResidualAttention(OfPoints):
    """A weight for each point, a decaying sum of its residuals relative to the largest one: RBA.

    λ_i ← γ λ_i + η |r_i| / max_j |r_j|, from λ_i = 0, and the loss is (1/N) Σ_i λ_i² |r_i|² (Anagnostopoulos, Toscano,
    Stergiopulos & Karniadakis 2024, Comput. Methods Appl. Mech. Eng. 421; arXiv 2307.00379). Weights are bounded by
    η / (1 − γ) and follow the residual, without gradients. |r_i| is the norm of all rows at point i. An update costs
    one evaluation of the loss without gradients.

    Args:
        every: Training steps between two updates.
        decay: γ, from 0 to 1.
        rate: η.
        constraints: Those whose points have weights; all by default.
        until: The training step from which the weights no longer change; None to update them throughout.

    Raises:
        UserError: if a number is out of its range; later, if there is no such constraint, or points are drawn anew.

    Example:
        >>> balancing = ResidualAttention()  # for pinnlab.solve(equation, balancing=balancing)
        >>> attended(torch.zeros(2), torch.tensor([4.0, 1.0]), decay=0.999, rate=0.01)
        tensor([0.0100, 0.0050])
    """

    def __init__(
        self,
        every: int = 1,
        decay: float = 0.999,
        rate: float = 0.01,
        constraints: Sequence[str] | None = None,
        until: int | None = None,
    ) -> None:
        super().__init__(every, constraints, until)
        check_fraction(self, decay=decay)
        check_positive(self, rate=rate)
        self.decay, self.rate = decay, rate

    def update(self, state: State, here: Snapshot) -> State:
        """See the class."""
        before: dict[str, Tensor] = state.get("attention", {})
        found = {}
        for name in before or self.weighed(here.equation):
            squares = here.squares(name)
            found[name] = attended(
                before.get(name, torch.zeros_like(squares)).to(squares), squares, self.decay, self.rate
            )
        return {"attention": found, "points": {name: weights.square() for name, weights in found.items()}}
