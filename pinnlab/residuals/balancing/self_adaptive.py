"""Self-adaptive weights of points, trained by gradient ascent."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pinnlab.equations import Equation
from pinnlab.residuals.balancing.base import Balancing, State, check_positive, chosen
from pinnlab.residuals.balancing.snapshot import Snapshot


def ascended(weights: Tensor, squares: Tensor, rate: float, power: float) -> Tensor:
    """λ_i + η ∂/∂λ_i (λ_i^q s_i) = λ_i + η q λ_i^{q−1} s_i, `(N,)`.

    Args:
        weights: λ, `(N,)`.
        squares: s, `(N,)`.
        rate: η.
        power: q.
    """
    return weights + rate * power * weights ** (power - 1) * squares


class SelfAdaptive(Balancing):
    """A weight for each point, which grows while the residual there does not fall: SA-PINN.

    The loss (1/N) Σ_i λ_i^q s_i is minimised over the network and maximised over the λ_i, which start at 1 and follow
    the gradient upwards: λ_i ← λ_i + η q λ_i^{q−1} s_i, with s_i the square of the residual at point i (McClenny &
    Braga-Neto 2023, J. Comput. Phys. 474; arXiv 2009.04544, with the mask m(λ) = λ^q). Weights only grow: where the
    training is long, end their growth with `until`. An update costs one evaluation of the loss without gradients.

        pinnlab.solve(equation, balancing=SelfAdaptive(rate=0.1))

    Args:
        every: Training steps between two updates.
        rate: η, the step of the ascent. Residuals far from 1 want another one.
        power: q, at least 1.
        constraints: Those whose points have weights; all by default.
        until: The training step from which weights stay as they are; None to update them throughout.

    Raises:
        UserError: if a number is out of its range; later, if there is no such constraint, or points are drawn anew.
    """

    pointwise = True

    def __init__(
        self,
        every: int = 1,
        rate: float = 0.1,
        power: float = 2.0,
        constraints: Sequence[str] | None = None,
        until: int | None = None,
    ) -> None:
        super().__init__(every, until)
        check_positive(self, rate=rate, power=power)
        self.rate, self.power, self.constraints = rate, power, constraints

    def weighed(self, equation: Equation) -> Sequence[str]:
        """The constraints whose points have weights."""
        return chosen(self, equation, self.constraints)

    def update(self, state: State, here: Snapshot) -> State:
        """See the class."""
        before: dict[str, Tensor] = state.get("ascent", {})
        found = {}
        for name in before or self.weighed(here.equation):
            squares = here.squares(name)
            found[name] = ascended(
                before.get(name, torch.ones_like(squares)).to(squares), squares, self.rate, self.power
            )
        return {"ascent": found, "points": {name: weights**self.power for name, weights in found.items()}}
