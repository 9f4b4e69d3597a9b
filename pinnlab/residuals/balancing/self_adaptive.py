"""Self-adaptive weights of points, trained by gradient ascent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pinnlab.residuals.balancing.base import OfPoints, State, check_positive
from pinnlab.residuals.balancing.snapshot import Snapshot


class Ascent(NamedTuple):
    """Where Adam stands in its ascent.

    Attributes:
        weights: λ, `(N,)`.
        mean: The moving average of the gradient g, `(N,)`.
        square: The moving average of g², `(N,)`.
        steps: The number of steps taken.
    """

    weights: Tensor
    mean: Tensor
    square: Tensor
    steps: int

    @staticmethod
    def start(points: Tensor) -> Ascent:
        """λ = 1 at as many points."""
        return Ascent(torch.ones_like(points), torch.zeros_like(points), torch.zeros_like(points), 0)

    def to(self, like: Tensor) -> Ascent:
        """The same on another device."""
        return Ascent(self.weights.to(like), self.mean.to(like), self.square.to(like), self.steps)

    def step(self, slope: Tensor, rate: float) -> Ascent:
        """A step of Adam upwards, λ + η m̂ / (√v̂ + 1e-8), with the gradient g, `(N,)`, and decay rates 0.9 and 0.999."""
        steps = self.steps + 1
        mean = 0.9 * self.mean + 0.1 * slope
        square = 0.999 * self.square + 0.001 * slope.square()
        size = (square / (1 - 0.999**steps)).sqrt() + 1e-8
        return Ascent(self.weights + rate * mean / (1 - 0.9**steps) / size, mean, square, steps)


class SelfAdaptive(OfPoints):
    """A weight for each point, which grows while the residual there does not fall: SA-PINN.

    The loss (1/N) Σ_i λ_i^q s_i, with s_i the square of the residual at point i, is minimised over the network and
    maximised over the weights. The λ_i start at 1 and follow the gradient q λ_i^{q−1} s_i upwards, by steps of Adam as
    in the authors' code, which do not depend on the scale of the residual (McClenny & Braga-Neto 2023, J. Comput.
    Phys. 474; arXiv 2009.04544, with the mask m(λ) = λ^q). Weights only grow: in a long training end that with `until`.
    An update costs one evaluation of the loss without gradients.

    Args:
        every: Training steps between two updates.
        rate: η, about how far a weight moves in an update.
        power: q, at least 1.
        constraints: Those whose points have weights; all by default.
        until: The training step from which the weights no longer change; None to update them throughout.

    Raises:
        UserError: if a number is out of its range; later, if there is no such constraint, or points are drawn anew.

    Example:
        >>> balancing = SelfAdaptive(rate=0.01)  # for pinnlab.solve(equation, balancing=balancing)
        >>> Ascent.start(torch.zeros(2)).step(torch.tensor([4.0, 0.1]), rate=0.01).weights
        tensor([1.0100, 1.0100])
    """

    def __init__(
        self,
        every: int = 1,
        rate: float = 0.01,
        power: float = 2.0,
        constraints: Sequence[str] | None = None,
        until: int | None = None,
    ) -> None:
        super().__init__(every, constraints, until)
        check_positive(self, rate=rate, power=power)
        self.rate, self.power = rate, power

    def update(self, state: State, here: Snapshot) -> State:
        """See the class."""
        before: dict[str, tuple[Tensor, Tensor, Tensor, int]] = state.get("ascent", {})
        found = {}
        for name in before or self.weighed(here.equation):
            squares = here.squares(name)
            now = Ascent(*before[name]).to(squares) if name in before else Ascent.start(squares)
            slope = self.power * now.weights ** (self.power - 1) * squares
            found[name] = now.step(slope, self.rate)
        # plain tuples, which a checkpoint may hold
        plain = {name: tuple(ascent) for name, ascent in found.items()}
        return {"ascent": plain, "points": {name: ascent.weights**self.power for name, ascent in found.items()}}
