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
from pinnlab.training.rows import Rows


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

    @abstractmethod
    def loss(self, vector: Tensor) -> float:
        """‖r‖² over all rows, those of other ranks included."""

    @abstractmethod
    def rows(self, jacobian: Tensor) -> Rows:
        """All rows, on every rank, of which this Jacobian holds a part."""


class Damped(ABC):
    """The damped least-squares problem min_v ‖J v + b‖² + μ ‖v‖², factorised once for several b.

    Attributes:
        damping: μ, or more where the factorisation needs it.
    """

    damping: float

    @abstractmethod
    def __init__(self, jacobian: Tensor, damping: float) -> None:
        """Factorises; J is `(M, P)` and μ > 0 the damping."""

    @abstractmethod
    def solve(self, b: Tensor) -> Tensor:
        """The minimiser v, `(P,)`, for a right-hand side b, `(M,)`."""


class Orthogonal(Damped):
    """By QR factors of J and never of JᵀJ: no digits are lost to squaring.

    With fewer rows than parameters v is the head of the minimum-norm solution of [J, √μ I] (v; s) = −b, from the
    factors of [J, √μ I]ᵀ; otherwise the least-squares solution of [J; √μ I] v = (−b; 0).
    """

    def __init__(self, jacobian: Tensor, damping: float) -> None:
        self.rows, self.columns = jacobian.shape
        self.damping = damping
        a = jacobian.mT if self.rows < self.columns else jacobian
        root = torch.eye(a.shape[1], dtype=a.dtype, device=a.device) * math.sqrt(damping)
        self.factor, self.tau = torch.geqrf(torch.cat((a, root)))

    def solve(self, b: Tensor) -> Tensor:
        """See `Damped.solve`."""
        size, n = self.factor.shape
        upper = self.factor[:n].triu()
        if self.rows < self.columns:
            y = torch.linalg.solve_triangular(upper.mT, -b[:, None], upper=False)
            full = torch.cat((y, y.new_zeros(size - n, 1)))
            return torch.ormqr(self.factor, self.tau, full)[: self.columns, 0]
        full = torch.cat((-b, b.new_zeros(size - self.rows)))[:, None]
        rotated = torch.ormqr(self.factor, self.tau, full, transpose=True)[:n]
        return torch.linalg.solve_triangular(upper, rotated, upper=True)[:, 0]


class Normal(Damped):
    """By Cholesky factors of J Jᵀ + μI (fewer rows than parameters) or JᵀJ + μI: faster, half the digits.

    Directions with singular values under about 1e-8 of the largest drown in rounding errors; the damping is
    therefore kept above 1e-14 of the largest diagonal entry.
    """

    def __init__(self, jacobian: Tensor, damping: float) -> None:
        self.jacobian = jacobian
        self.dual = jacobian.shape[0] < jacobian.shape[1]
        gram = jacobian @ jacobian.mT if self.dual else jacobian.mT @ jacobian
        self.damping = max(damping, 50 * torch.finfo(gram.dtype).eps * float(gram.diagonal().max()))
        gram.diagonal().add_(self.damping)
        self.factor = torch.linalg.cholesky(gram)

    def solve(self, b: Tensor) -> Tensor:
        """See `Damped.solve`."""
        if self.dual:
            return -self.jacobian.mT @ torch.cholesky_solve(b[:, None], self.factor)[:, 0]
        return -torch.cholesky_solve((self.jacobian.mT @ b)[:, None], self.factor)[:, 0]


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
        factorisation: type[Damped] = Orthogonal,
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
        rows = problem.rows(jacobian)
        for _ in range(self.trials):
            system = self.factorisation(rows.jacobian, group["damping"])
            promised, trial = self._trial(problem, theta, here.vector, jacobian, rows, system)
            gain = (loss - trial.loss) / (loss - promised) if promised < loss else -math.inf
            if gain > 0.75:
                group["damping"] = max(system.damping / group["decrease"], torch.finfo(theta.dtype).tiny)
            elif not gain >= 0.25:  # NaN included
                group["damping"] = system.damping * group["increase"]
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
        self, problem: Problem, theta: Tensor, r: Tensor, jacobian: Tensor, rows: Rows, system: Damped
    ) -> tuple[float, Trial]:
        """The loss that the linear model promises, and the best of the points on the way there."""
        step = system.solve(rows.together(r))
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
            change = system.solve(rows.together(there.vector - target))
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
