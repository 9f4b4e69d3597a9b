"""Balancing by the traces of the neural tangent kernel."""

from __future__ import annotations

from collections.abc import Mapping

from pinnlab.residuals.balancing.base import Balancing, State, averaged, check_fraction, share
from pinnlab.residuals.balancing.snapshot import Snapshot


def kernel_weights(traces: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """λ̂_c = Σ_k tr K_k / tr K_c.

    Args:
        traces: tr K_c by constraint.
        before: The weights that stay where a trace is zero.
    """
    total = sum(traces.values())
    return {name: share(total, trace, before.get(name, 1.0)) for name, trace in traces.items()}


class NeuralTangentKernel(Balancing):
    """Weights that give all constraints the same mean rate of convergence under gradient descent.

    Under gradient flow the residual rows r obey dr/dt = −K r, with K = (∂r/∂θ)(∂r/∂θ)ᵀ the neural tangent kernel. The
    mean rate at which the rows r_c of a constraint fall is the mean eigenvalue of its block K_c. Every so many steps
    λ_c ← m λ_c + (1 − m) tr K / tr K_c, with tr K = Σ_k tr K_k (Wang, Yu & Perdikaris 2022, J. Comput. Phys. 449,
    algorithm 1; arXiv 2007.14527). Here rows carry 1/√N, so that a trace is a mean over points, as in the code jaxpi.

    Args:
        every: Training steps between two updates, each at the cost of a Jacobian of all rows.
        momentum: m, from 0 to 1; 0 takes each new weight whole, as the paper does.
        until: The training step from which the weights no longer change; None to update them throughout.

    Raises:
        UserError: if a number is out of its range.

    Example:
        >>> balancing = NeuralTangentKernel(every=100)  # for pinnlab.solve(equation, balancing=balancing)
        >>> kernel_weights({"interior": 8.0, "walls": 2.0}, before={})
        {'interior': 1.25, 'walls': 5.0}
    """

    def __init__(self, every: int = 100, momentum: float = 0.0, until: int | None = None) -> None:
        super().__init__(every, until)
        check_fraction(self, momentum=momentum)
        self.momentum = momentum

    def update(self, state: State, here: Snapshot) -> State:
        """See the class."""
        before = self.weights(state)
        return {"weights": averaged(before, kernel_weights(here.traces, before), self.momentum)}
