"""Levenberg-Marquardt: damped Gauss-Newton steps on a residual vector, corrected for its curvature."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pinnlab.residuals.jacobian import Linearised
from pinnlab.training.least_squares import Damped, LeastSquares, Orthogonal
from pinnlab.training.ranks import Ranks


class Problem(ABC):
    """Least squares as the optimiser sees it: residuals r(θ) and their Jacobian, θ the flattened parameters.

    Residual vectors and Jacobians hold this process's rows; other ranks may hold more.
    """

    @abstractmethod
    def linearise(self, theta: Tensor) -> Linearised:
        """The residuals at θ, `(P,)`, with what is needed to differentiate them."""

    @abstractmethod
    def accept(self, there: Linearised) -> None:
        """Told that the parameters moved to where these residuals were linearised."""

    @abstractmethod
    def same(self, other: Problem) -> bool:
        """Whether the residual functions agree: the same points and weights, on all ranks."""

    @property
    @abstractmethod
    def ranks(self) -> Ranks:
        """Who holds the other rows."""

    def loss(self, vector: Tensor) -> float:
        """‖r‖² over all rows, those of other ranks included."""
        return float(self.ranks.sum(vector @ vector))


class LevenbergMarquardt(Optimizer):
    """Damped Gauss-Newton whose steps follow the residuals' curvature.

    A trial from θ solves for the velocity v = argmin ‖J v + r‖² + μ‖v‖², which the linear model takes to the
    residuals r + J v, and then aims at these: with the step s, v at first,

        s ← s + argmin_w ‖J w + r(θ + s) − (r + J v)‖² + μ‖w‖²,

    each correction for one more residual and a solve with the same factors. The first one is, to leading order,
    half the geodesic acceleration of Transtrum & Sethna (2012, arXiv 1201.5885), whose accelerated path curves
    with the narrow valleys of such problems; the next ones add the higher orders. A trial ends when the loss has
    fallen by nearly what the linear model promised, when corrections stop shrinking, or after `corrections`.
    The best θ + s is taken if the loss falls; with ρ the decrease over the promised one, μ is divided by
    `decrease` if ρ > 3/4 and multiplied by `increase` if ρ < 1/4. The Jacobian of an accepted point comes from
    the evaluation that judged it: nothing is computed twice.

    The closure given to `step` returns the `Problem`. The damping is in the parameter group and so in checkpoints.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        damping: float = 1.0,
        increase: float = 3.0,
        decrease: float = 5.0,
        corrections: int = 3,
        trials: int = 20,
        factorisation: type[LeastSquares] = Orthogonal,
    ) -> None:
        """Sets the damping's rules.

        Args:
            parameters: What is optimised, one group.
            damping: The first μ in units of the loss ‖r‖² where the first step starts: an optimum that is far is
                approached in small steps and a near one in whole ones, whatever the scale of the residuals.
            increase: Factor on μ after a poor trial.
            decrease: Divisor of μ after a good one.
            corrections: The most corrections of a trial; 0 gives plain Levenberg-Marquardt.
            trials: The most trials in a step; if all are refused, the parameters stay.
            factorisation: How the damped problems are solved.
        """
        # μ itself is known once the first loss is
        super().__init__(parameters, {"damping": math.nan, "increase": increase, "decrease": decrease})
        self.damping = damping
        self.corrections, self.trials, self.factorisation = corrections, trials, factorisation
        # What the last step left at its final parameters. Not part of the state: without it the step recomputes
        # the same numbers.
        self._last: tuple[Problem, Tensor, Linearised] | None = None
        self.start: Linearised | None = None
        """The residuals where the last step started."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> float:  # type: ignore[override]
        """Takes one step and returns the loss ‖r‖² where it started."""
        assert closure is not None
        problem: Problem = closure()
        group = self.param_groups[0]
        theta = torch.cat([p.reshape(-1) for p in group["params"]])
        here = self._here(problem, theta)
        self.start = here
        loss = problem.loss(here.vector)
        if loss == 0 or not math.isfinite(loss):
            return loss
        if math.isnan(group["damping"]):
            # not where the loss is zero: from a damping of zero none would ever grow
            group["damping"] = self.damping * loss
        jacobian = here.jacobian()
        system = self.factorisation(jacobian, problem.ranks)
        for _ in range(self.trials):
            damped = system.damped(group["damping"])
            promised, trial = self._trial(problem, theta, here.vector, jacobian, damped)
            gain = (loss - trial.loss) / (loss - promised) if promised < loss else -math.inf
            if gain > 0.75:
                group["damping"] = max(damped.damping / group["decrease"], torch.finfo(theta.dtype).tiny)
            elif not gain >= 0.25:  # NaN included
                group["damping"] = damped.damping * group["increase"]
            if trial.there is not None and trial.loss < loss:
                self._set(theta + trial.step)
                problem.accept(trial.there)
                self._last = (problem, theta + trial.step, trial.there)
                break
        return loss

    def _here(self, problem: Problem, theta: Tensor) -> Linearised:
        if self._last is not None:
            last, where, linearised = self._last
            self._last = None  # its graph is used up by the Jacobian
            if problem.same(last) and torch.equal(theta, where):
                return linearised
        return problem.linearise(theta)

    def _trial(
        self, problem: Problem, theta: Tensor, r: Tensor, jacobian: Tensor, damped: Damped
    ) -> tuple[float, Trial]:
        """The loss that the linear model promises, and the best of the points on the way there."""
        step = damped.solve(r)
        target = r + jacobian @ step
        loss, promised = problem.loss(r), problem.loss(target)
        best = Trial(step, None, math.inf)
        size = float(step.norm())
        for correction in range(self.corrections + 1):
            there = problem.linearise(theta + step)
            reached = problem.loss(there.vector)
            if not math.isfinite(reached):
                break
            if reached < best.loss:
                best = Trial(step, there, reached)
            if correction == self.corrections or reached - promised <= 0.1 * (loss - promised):
                break
            change = damped.solve(there.vector - target)
            before, size = size, float(change.norm())
            if not size <= 0.75 * before:
                break
            step = step + change
        return promised, best

    def _set(self, theta: Tensor) -> None:
        position = 0
        for p in self.param_groups[0]["params"]:
            p.copy_(theta[position : position + p.numel()].view_as(p))
            position += p.numel()


@dataclass(frozen=True)
class Trial:
    """A step that was tried.

    Attributes:
        step: Where it leads from θ, `(P,)`.
        there: The residuals there, or None if none were finite.
        loss: Their loss.
    """

    step: Tensor
    there: Linearised | None
    loss: float
