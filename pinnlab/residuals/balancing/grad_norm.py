"""Balancing by gradient norms."""

from __future__ import annotations

from collections.abc import Mapping

from pinnlab.residuals.balancing.base import Balancing, State, averaged, check_fraction, share
from pinnlab.residuals.balancing.snapshot import Snapshot


def gradient_norm_weights(norms: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """λ̂_c = Σ_k ‖∇L_k‖ / ‖∇L_c‖, with which all gradients λ̂_c ∇L_c have the same norm.

    Args:
        norms: ‖∇L_c‖ by constraint.
        before: The weights that stay where a norm is zero.
    """
    total = sum(norms.values())
    return {name: share(total, norm, before.get(name, 1.0)) for name, norm in norms.items()}


class GradNorm(Balancing):
    """Weights that give the gradients of all constraints' losses the same norm.

    Every so many steps λ_c ← m λ_c + (1 − m) Σ_k ‖∇L_k‖ / ‖∇L_c‖, with gradients in the network's parameters and the
    momentum m. The scheme is that of Wang, Sankaran, Wang & Perdikaris (2023, arXiv 2308.08468) and of their code
    jaxpi.

    Args:
        every: Training steps between two updates, each at the cost of one backward pass for each constraint.
        momentum: m, from 0 to 1.
        until: The training step from which the weights no longer change; None to update them throughout.

    Raises:
        UserError: if a number is out of its range.

    Example:
        >>> balancing = GradNorm(every=100)  # for pinnlab.solve(equation, balancing=balancing)
        >>> gradient_norm_weights({"interior": 4.0, "walls": 1.0}, before={})
        {'interior': 1.25, 'walls': 5.0}
    """

    def __init__(self, every: int = 100, momentum: float = 0.9, until: int | None = None) -> None:
        super().__init__(every, until)
        check_fraction(self, momentum=momentum)
        self.momentum = momentum

    def update(self, state: State, here: Snapshot) -> State:
        """See the class."""
        before = self.weights(state)
        norms = {name: float(gradient.norm()) for name, gradient in here.gradients.items()}
        return {"weights": averaged(before, gradient_norm_weights(norms, before), self.momentum)}
