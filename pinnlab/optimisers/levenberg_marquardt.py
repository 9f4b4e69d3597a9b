"""Levenberg-Marquardt: damped Gauss-Newton steps on a residual vector, corrected for its curvature."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pinnlab.errors import DivergedError
from pinnlab.optimisers.linear.least_squares import LeastSquares, Orthogonal
from pinnlab.optimisers.linear.operators import LinearOperator
from pinnlab.optimisers.problem import Linearised, Problem
from pinnlab.optimisers.systems import Systems
from pinnlab.ranks import Ranks


class LevenbergMarquardt(Optimizer):
    """Damped Gauss-Newton whose steps follow the residuals' curvature.

    A trial from θ solves for the velocity v = argmin ‖J v + r‖² + μ‖v‖², which the linear model takes to the
    residuals r + J v, and then aims at these: with the step s, v at first,

        s ← s + argmin_w ‖J w + r(θ + s) − (r + J v)‖² + μ‖w‖²,

    each correction for one more residual and a solve with the same factors. The first one is, to leading order, half
    the geodesic acceleration of Transtrum & Sethna (2012, arXiv 1201.5885). Their accelerated path curves with the
    narrow valleys of such problems. The next ones add the higher orders. A trial ends when the loss has fallen by
    nearly what the linear model promised, when corrections stop shrinking, or after `corrections`. The best θ + s is
    taken if the loss falls; with ρ the decrease over the promised one, μ is divided by `decrease` if ρ > 3/4 and
    multiplied by `increase` if ρ < 1/4. The Jacobian of an accepted point comes from the evaluation that judged it:
    nothing is computed twice.

    Steps stay within the bounds of the problem. Where a component would go too far, it goes as far as it may, and the
    others solve the remaining damped problem. A component at its bound, against which descent pushes it, is fixed in
    the step. It moves again when descent points inside.

    A trial whose factors fail, or that is not finite, is refused like one that does not lower the loss. After a refused
    trial that promised to lower ‖r‖ by less than rounding θ to its digits changes it,

        ε/5 ‖J diag(θ)‖_F + ε ‖r‖,

    no step lowers the loss by more than rounding errors, and the step ends. (The root mean square of relative rounding
    errors is 0.21 ε.)

    The closure given to `step` returns the `Problem`. The damping is in the parameter group and so in checkpoints.

    Example:
        >>> from pinnlab.optimisers import Matrix
        >>> class Rosenbrock(Problem):  # r = (10 (y − x²), 1 − x)
        ...     ranks = Ranks()
        ...
        ...     def linearise(self, theta):
        ...         return Residuals(theta)
        ...
        ...     def accept(self, there):
        ...         pass
        ...
        ...     def same(self, other):
        ...         return True
        >>> class Residuals(Linearised):
        ...     def __init__(self, theta):
        ...         self.x, y = theta
        ...         self.vector = torch.stack([10 * (y - self.x**2), 1 - self.x])
        ...
        ...     def jacobian(self):
        ...         return Matrix(torch.tensor([[-20 * self.x, 10.0], [-1.0, 0.0]]))
        >>> theta = nn.Parameter(torch.tensor([-1.2, 1.0]))
        >>> optimizer, problem = LevenbergMarquardt([theta]), Rosenbrock()
        >>> losses = [optimizer.step(lambda: problem) for _ in range(30)]
        >>> torch.allclose(theta, torch.ones(2), atol=1e-4)
        True
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        damping: float = 1.0,
        increase: float = 3.0,
        decrease: float = 5.0,
        corrections: int = 3,
        descents: int = 0,
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
            descents: The most further trials of a step, each with less damping, while the loss falls: with the same
                factors.
            trials: The most trials in a step; if all are refused, the parameters stay.
            factorisation: How the damped problems are solved.
        """
        # μ itself is known once the first loss is
        super().__init__(parameters, {"damping": math.nan, "increase": increase, "decrease": decrease})
        self.damping = damping
        self.corrections, self.descents = corrections, descents
        self.trials, self.factorisation = trials, factorisation
        # What the last step left at its final parameters, and its factors, which serve again where the residuals are
        # linear. Not part of the state: without them the step recomputes the same numbers.
        self._last: tuple[Problem, Tensor, Linearised] | None = None
        self._factorised: LeastSquares | None = None
        self.start: Linearised | None = None
        """The residuals where the last step started."""
        self.reached = math.nan
        """The loss where the last step ended."""
        self.promised = math.nan
        """The least loss that the linear model of the last step promised for a damping that was tried."""
        self.exhausted = False
        """Whether the last step found that no step lowers the loss by more than rounding errors."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> float:  # type: ignore[override]
        """Takes one step and returns the loss ‖r‖² where it started."""
        assert closure is not None
        problem: Problem = closure()
        group = self.param_groups[0]
        theta = torch.cat([p.reshape(-1) for p in group["params"]])
        here = self._here(problem, theta)
        self.start, self.exhausted = here, False
        problem.accept(here)
        loss = self.reached = self.promised = problem.loss(here.vector)
        if loss == 0 or not math.isfinite(loss):
            return loss
        if math.isnan(group["damping"]):
            # not where the loss is zero: from a damping of zero none would ever grow
            group["damping"] = self.damping * loss
        jacobian = self.factorisation.prepared(here.jacobian())
        gradient = jacobian.rmatvec(here.vector)
        if problem.ranks.largest(not bool(gradient.isfinite().all())):
            raise DivergedError("the slopes of a residual became NaN or infinite where the residual is not")
        factorised = self._factors(jacobian, problem.ranks)
        systems = Systems(factorised, problem, theta, here.vector, jacobian, gradient)
        for _ in range(self.trials):
            promised, damping, trial = self._trial(problem, theta, here.vector, jacobian, systems, group["damping"])
            gain = (loss - trial.loss) / (loss - promised) if promised < loss else -math.inf
            if gain > 0.75:
                group["damping"] = max(damping / group["decrease"], torch.finfo(theta.dtype).tiny)
            elif not gain >= 0.25:  # NaN included
                group["damping"] = damping * group["increase"]
            self.promised = min(self.promised, promised)
            if trial.there is not None and trial.loss < loss:
                if gain > 0.75:
                    trial = self._descended(problem, theta, here.vector, jacobian, systems, trial)
                assert trial.there is not None
                there = theta + trial.step if problem.box is None else problem.box.project(theta + trial.step)
                self._set(there)
                problem.accept(trial.there)
                self.reached = trial.loss
                self._last = (problem, there, trial.there)
                break
            if math.sqrt(loss) - math.sqrt(promised) <= _rounding(problem, theta, here.vector, jacobian):
                self.exhausted = True
                break
        return loss

    def _factors(self, jacobian: LinearOperator, ranks: Ranks) -> LeastSquares:
        """Least squares of the Jacobian, with the factors of the last step if no rank's Jacobian has changed."""
        last, self._factorised = self._factorised, None
        if last is None or ranks.largest(not last.serves(jacobian)):
            # the old factors are released before there are new ones: both together may not fit into the memory
            last = None
            last = self.factorisation(jacobian, ranks)
        self._factorised = last
        return last

    def _here(self, problem: Problem, theta: Tensor) -> Linearised:
        if self._last is not None:
            last, where, linearised = self._last
            self._last = None  # its graph is used up by the Jacobian
            if problem.same(last) and torch.equal(theta, where):
                return linearised
        return problem.linearise(theta)

    def _trial(
        self, problem: Problem, theta: Tensor, r: Tensor, jacobian: LinearOperator, systems: Systems, damping: float
    ) -> tuple[float, float, Trial]:
        """The loss that the linear model promises, the damping, and the best of the points on the way there."""
        damped, step = systems.solve(damping)
        best = Trial(step, None, math.inf)
        if not bool(step.isfinite().all()):
            return math.nan, damped.damping, best
        target = r + jacobian.matvec(step)
        loss, promised = problem.loss(r), problem.loss(target)
        size = float(step.norm())
        for correction in range(self.corrections + 1):
            there = problem.linearise(theta + step if problem.box is None else problem.box.project(theta + step))
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
            step = systems.clip(step + change)
        return promised, damped.damping, best

    def _descended(
        self, problem: Problem, theta: Tensor, r: Tensor, jacobian: LinearOperator, systems: Systems, best: Trial
    ) -> Trial:
        """The best of a good trial and others with less damping; the damping is that of the next step."""
        group = self.param_groups[0]
        for _ in range(self.descents):
            promised, damping, trial = self._trial(problem, theta, r, jacobian, systems, group["damping"])
            self.promised = min(self.promised, promised)
            if trial.there is None or not trial.loss < best.loss:
                group["damping"] = damping * group["decrease"]
                break
            best, group["damping"] = trial, max(damping / group["decrease"], torch.finfo(theta.dtype).tiny)
        return best

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


def _rounding(problem: Problem, theta: Tensor, r: Tensor, jacobian: LinearOperator) -> float:
    """The change of ‖r‖ by rounding θ, and of its own sum, over all ranks: ε/5 ‖J diag(θ)‖_F + ε ‖r‖."""
    squares = torch.stack((jacobian.squares(theta), r @ r))
    moved, norm = problem.ranks.sum(squares).sqrt().tolist()
    return torch.finfo(theta.dtype).eps * float(moved / 5 + norm)
