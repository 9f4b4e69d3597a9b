"""Balancing by statistics of gradients, called learning rate annealing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from pinnlab.equations import Equation
from pinnlab.equations.constraints import domain
from pinnlab.residuals.balancing.base import Balancing, State, averaged, check_fraction, chosen, share
from pinnlab.residuals.balancing.snapshot import Snapshot


def annealed_weights(gradients: Mapping[str, Tensor], reference: str, before: Mapping[str, float]) -> dict[str, float]:
    """λ̂_c = max_θ |∇L_r| / mean_θ |∇L_c| for all constraints c but the reference r.

    Args:
        gradients: ∇L_c by constraint, `(P,)`.
        reference: r.
        before: The weights that stay where a gradient is zero.
    """
    largest = float(gradients[reference].abs().max())
    return {
        name: share(largest, float(gradient.abs().mean()), before.get(name, 1.0))
        for name, gradient in gradients.items()
        if name != reference
    }


class LearningRateAnnealing(Balancing):
    """Weights that lift the mean gradient of each condition to the largest entry of the equation's gradient.

    Every so many steps λ_c ← m λ_c + (1 − m) max_θ |∇L_r| / mean_θ |∇L_c|, for all constraints but the reference r,
    the equation itself (Wang, Teng & Perdikaris 2021, SIAM J. Sci. Comput. 43, algorithm 1; arXiv 2001.04536). A
    maximum over a mean is large, of the order of 100: conditions get large weights.

    Args:
        every: Training steps between two updates, each at the cost of one backward pass for each constraint.
        momentum: m, from 0 to 1.
        reference: r; by default the constraint on the domain of the equation.
        until: The training step from which the weights no longer change; None to update them throughout.

    Raises:
        UserError: if a number is out of its range; later, if there is no such constraint.

    Example:
        >>> balancing = LearningRateAnnealing(every=10)  # for pinnlab.solve(equation, balancing=balancing)
        >>> import torch
        >>> gradients = {"interior": torch.tensor([4.0, -2.0]), "walls": torch.tensor([1.0, 0.0])}
        >>> annealed_weights(gradients, reference="interior", before={})
        {'walls': 8.0}
    """

    def __init__(
        self, every: int = 10, momentum: float = 0.9, reference: str | None = None, until: int | None = None
    ) -> None:
        super().__init__(every, until)
        check_fraction(self, momentum=momentum)
        self.momentum, self.reference = momentum, reference

    def weighed(self, equation: Equation) -> Sequence[str]:
        """All constraints but the reference."""
        return [name for name in equation.constraints() if name != self._reference(equation)]

    def update(self, state: State, here: Snapshot) -> State:
        """See the class."""
        before = self.weights(state)
        found = annealed_weights(here.gradients, self._reference(here.equation), before)
        return {"weights": averaged(before, found, self.momentum)}

    def _reference(self, equation: Equation) -> str:
        if self.reference is None:
            return domain(equation.constraints())
        return chosen(self, equation, [self.reference])[0]
