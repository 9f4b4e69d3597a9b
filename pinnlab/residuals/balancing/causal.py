"""Causal weights: a time is trained once all earlier ones are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pinnlab.equations import Equation
from pinnlab.equations.constraints import domain
from pinnlab.errors import UserError
from pinnlab.geometry import Points
from pinnlab.residuals.balancing.base import Balancing, State, check_fraction, check_positive, chosen
from pinnlab.residuals.balancing.snapshot import Snapshot


def causal_weights(losses: Tensor, epsilon: float) -> Tensor:
    """w_k = exp(−ε Σ_{j<k} L_j) of the mean losses L of M intervals of time, `(M,)`."""
    return torch.exp(-epsilon * (losses.cumsum(0) - losses))


class Causal(Balancing):
    """Weights that fall with the residual of all earlier times, for equations that evolve in time.

    Time is divided into M equal intervals. The points in interval k have the weight w_k = exp(−ε Σ_{j<k} L_j), with L_j
    the mean of the squared residual over interval j. Later times hardly count until earlier ones are solved (Wang,
    Sankaran & Perdikaris 2024, Comput. Methods Appl. Mech. Eng. 421; arXiv 2203.07404, algorithm 1). ε takes the given
    values one after another: the next one once all w_k are above `threshold`. Weights belong to times and not to
    points, so that these may be drawn anew. An update costs one evaluation of the loss without gradients.

    The scheme weighs the equation alone. Give the initial condition a large fixed weight.

    Args:
        every: Training steps between two updates.
        time: The input that is time.
        intervals: M.
        epsilons: The values of ε, in ascending order.
        threshold: What the least weight must exceed for the next ε.
        constraint: The constraint whose points have weights; by default that on the domain of the equation.
        until: The training step from which the weights no longer change; None to update them throughout.

    Raises:
        UserError: if a number is out of its range; later, if there is no such constraint or input.

    Example:
        >>> balancing = Causal()  # for pinnlab.solve(equation, weights={"initial": 100.0}, balancing=balancing)
        >>> causal_weights(torch.tensor([1.0, 0.0, 2.0]), epsilon=0.5)
        tensor([1.0000, 0.6065, 0.6065])
    """

    def __init__(
        self,
        every: int = 1,
        time: str = "t",
        intervals: int = 32,
        epsilons: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0),
        threshold: float = 0.99,
        constraint: str | None = None,
        until: int | None = None,
    ) -> None:
        super().__init__(every, until)
        if intervals < 2 or not epsilons:
            raise UserError(
                f"Causal: there must be at least 2 intervals and one of epsilons; got {intervals} and {list(epsilons)}"
            )
        for epsilon in epsilons:
            check_positive(self, epsilons=epsilon)
        check_fraction(self, threshold=threshold)
        self.time, self.intervals, self.epsilons = time, intervals, tuple(epsilons)
        self.threshold, self.constraint = threshold, constraint

    def weighed(self, equation: Equation) -> Sequence[str]:
        """The constraint whose points have weights."""
        if self.time not in equation.inputs:
            raise UserError(
                f"Causal: {equation.name} has no input {self.time!r} for the time; it has "
                f"{', '.join(equation.inputs)}: set time to one of them, or take another balancing"
            )
        return [
            domain(equation.constraints()) if self.constraint is None else chosen(self, equation, [self.constraint])[0]
        ]

    def update(self, state: State, here: Snapshot) -> State:
        """See the class."""
        name = state.get("constraint") or self.weighed(here.equation)[0]
        squares, times = here.squares(name), here.everywhere(name, self._times(here.points[name]))
        span = state.get("span", (float(times.min()), float(times.max())))
        losses, counts = squares.new_zeros(self.intervals), squares.new_zeros(self.intervals)
        place = self._place(times, span)
        losses.index_add_(0, place, squares)
        counts.index_add_(0, place, torch.ones_like(squares))
        losses, stage = losses / counts.clamp(min=1), state.get("stage", 0)
        weights = causal_weights(losses, self.epsilons[stage])
        if float(weights.min()) > self.threshold and stage + 1 < len(self.epsilons):
            stage += 1
            weights = causal_weights(losses, self.epsilons[stage])
        return {"constraint": name, "span": span, "stage": stage, "intervals": weights}

    def at(self, state: State, name: str, points: Points, rank: int = 0, ranks: int = 1) -> Tensor | None:
        """The weights of the intervals that the points are in, `(N,)`."""
        if name != state.get("constraint"):
            return None
        times = self._times(points)
        weights: Tensor = state["intervals"].to(times)
        return weights[self._place(times, state["span"])]

    def _times(self, points: Points) -> Tensor:
        """The time of each point, `(N,)`, or the last one of each group of nodes."""
        times = points[self.time]
        return times if times.ndim == 1 else times.flatten(1).amax(1)

    def _place(self, times: Tensor, span: tuple[float, float]) -> Tensor:
        """The number of the interval that each time is in, from 0."""
        low, high = span
        length = high - low if high > low else 1.0
        return ((times - low) / length * self.intervals).long().clamp(0, self.intervals - 1)
