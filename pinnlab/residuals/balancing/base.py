"""Balancing: weights of constraints, or of their points, that follow the training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor

from pinnlab.construction import Constructed
from pinnlab.equations import Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Points
from pinnlab.residuals.balancing.snapshot import Snapshot

State = dict[str, Any]
"""What a scheme remembers, by name: numbers, tensors and dictionaries of these, as a checkpoint holds them."""


class Balancing(Constructed, ABC):
    """A rule for the weights b_c of the constraints' losses, or the weights v_i of their points.

    The loss that an optimiser sees is Σ_c b_c (1/N) Σ_i v_i s_i, where s_i is the square of the residual at point i
    with the fixed weights: see `pinnlab.residuals.weighting`. All weights are 1 before the first update.

    A scheme is configuration only, and `update` is a function of the state and of what it asks the snapshot for. The
    state is changed between two steps of training, never within one: a line search, or the trials of a Gauss-Newton
    step, compare losses with the same weights. It is in checkpoints, so that a resumed run finds the same weights.

    A subclass writes `update`. It returns the next state, in which `weights` are the b_c by constraint, and `points`
    the v_i by constraint, `(N,)` over the points of all ranks. A subclass with another state overrides `weights` or
    `at`.

    Attributes:
        pointwise: Whether weights belong to single points, which must then stay the same throughout a run.
        every: Training steps between two updates.
        until: The training step from which the weights no longer change; None to update them throughout.

    Example:
        >>> class Levelled(Balancing):
        ...     def update(self, state, here):  # all constraints have the same loss
        ...         mean = sum(here.losses.values()) / len(here.losses)
        ...         return {"weights": {name: mean / loss for name, loss in here.losses.items()}}
        >>> Levelled(every=10).due(20)
        True
    """

    pointwise: ClassVar[bool] = False

    def __init__(self, every: int, until: int | None = None) -> None:
        """Sets when weights are updated.

        Raises:
            UserError: if `every` is not positive, or `until` is negative.
        """
        if every < 1 or (until is not None and until < 0):
            raise UserError(
                f"{self.name}: every must be at least 1 and until not negative; got every {every} and until {until}"
            )
        self.every, self.until = every, until

    @property
    def name(self) -> str:
        """The name in checkpoints and messages."""
        return type(self).__name__

    def due(self, step: int) -> bool:
        """Whether weights are updated before training step `step`, counted from 0."""
        return step % self.every == 0 and (self.until is None or step < self.until)

    def weighed(self, equation: Equation) -> Sequence[str]:
        """The constraints whose weights change.

        Raises:
            UserError: if the scheme does not fit the equation.
        """
        return list(equation.constraints())

    @abstractmethod
    def update(self, state: State, here: Snapshot) -> State:
        """The next state.

        Args:
            state: The state before; empty at first. It is not changed.
            here: The residuals where the step starts.
        """

    def weights(self, state: State) -> Mapping[str, float]:
        """The weights b_c by constraint; constraints without an entry have the weight 1."""
        found: Mapping[str, float] = state.get("weights", {})
        return found

    def at(self, state: State, name: str, points: Points, rank: int = 0, ranks: int = 1) -> Tensor | None:
        """The weights v_i at this rank's points of one constraint, `(N,)`; None for 1 at all of them."""
        found: Tensor | None = state.get("points", {}).get(name)
        return None if found is None else found[rank::ranks].to(next(iter(points.values())).device)


class OfPoints(Balancing):
    """A scheme whose weights belong to single points, which stay the same throughout a run.

    Attributes:
        constraints: Those whose points have weights; None for all.
    """

    pointwise = True

    def __init__(self, every: int, constraints: Sequence[str] | None, until: int | None) -> None:
        """Sets when weights are updated, and whose."""
        super().__init__(every, until)
        self.constraints = constraints

    def weighed(self, equation: Equation) -> Sequence[str]:
        """The constraints whose points have weights.

        Raises:
            UserError: if the equation has no such constraint.
        """
        return chosen(self, equation, self.constraints)


class Fixed(Balancing):
    """No balancing: all weights are 1, and the loss has the fixed weights alone."""

    def __init__(self) -> None:
        super().__init__(1)

    def due(self, step: int) -> bool:
        """Never."""
        return False

    def weighed(self, equation: Equation) -> Sequence[str]:
        """None."""
        return []

    def update(self, state: State, here: Snapshot) -> State:
        """The state as it is."""
        return state


def averaged(before: Mapping[str, float], now: Mapping[str, float], momentum: float) -> dict[str, float]:
    """The moving averages m λ + (1 − m) λ̂ by constraint, with λ the weights before, 1 at first, and m the momentum."""
    return {name: momentum * before.get(name, 1.0) + (1 - momentum) * value for name, value in now.items()}


def share(total: float, part: float, otherwise: float) -> float:
    """The ratio total / part; `otherwise` where a part that is zero, or not finite, says nothing."""
    found = total / part if part > 0 else float("nan")
    return found if 0 < found < float("inf") else otherwise


def check_fraction(scheme: Balancing, **fractions: float) -> None:
    """Refuses numbers that are not in [0, 1).

    Raises:
        UserError: naming the first of them.
    """
    for option, value in fractions.items():
        if not 0 <= value < 1:
            raise UserError(f"{scheme.name}: {option} must be at least 0 and below 1, got {value}")


def check_positive(scheme: Balancing, **numbers: float) -> None:
    """Refuses numbers that are not positive and finite.

    Raises:
        UserError: naming the first of them.
    """
    for option, value in numbers.items():
        if not 0 < value < float("inf"):
            raise UserError(f"{scheme.name}: {option} must be positive and finite, got {value}")


def chosen(scheme: Balancing, equation: Equation, constraints: Sequence[str] | None) -> Sequence[str]:
    """The constraints of a list; without a list, all constraints of the equation.

    Raises:
        UserError: if the equation has no such constraint.
    """
    every = list(equation.constraints())
    for name in constraints or ():
        if name not in every:
            raise UserError(f"{scheme.name}: {equation.name} has no constraint {name!r}; it has {', '.join(every)}")
    return every if constraints is None else list(constraints)
