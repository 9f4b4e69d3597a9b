"""Levenberg-Marquardt: damped Gauss-Newton steps on a residual vector, with geodesic acceleration."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pinnlab.residuals.jacobian import Linearised


class Problem(ABC):
    """Least squares as the optimiser sees it: residuals r(θ) and their Jacobian, θ the flattened parameters."""

    @abstractmethod
    def linearise(self, theta: Tensor) -> Linearised:
        """The residuals at θ, `(P,)`, with what is needed to differentiate them."""

    @abstractmethod
    def residual(self, theta: Tensor) -> Tensor:
        """r(θ), `(M,)`, and nothing more."""

    @abstractmethod
    def accept(self, there: Linearised) -> None:
        """Told that the parameters moved to where these residuals were linearised."""

    @abstractmethod
    def same(self, other: Problem) -> bool:
        """Whether the residual functions agree: the same points and weights."""


class Damped(ABC):
    """The damped least-squares problem min_v ‖J v + b‖² + μ ‖v‖², factorised once for several b."""

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
        floor = 50 * torch.finfo(gram.dtype).eps * gram.diagonal().max()
        gram.diagonal().add_(torch.clamp(floor, min=damping))
        self.factor = torch.linalg.cholesky(gram)

    def solve(self, b: Tensor) -> Tensor:
        """See `Damped.solve`."""
        if self.dual:
            return -self.jacobian.mT @ torch.cholesky_solve(b[:, None], self.factor)[:, 0]
        return -torch.cholesky_solve((self.jacobian.mT @ b)[:, None], self.factor)[:, 0]


class LevenbergMarquardt(Optimizer):
    """Damped Gauss-Newton with geodesic acceleration (Transtrum & Sethna 2012, arXiv 1201.5885).

    A step from θ solves for the velocity v = argmin ‖J v + r‖² + μ‖v‖², takes the second directional derivative
    r_vv from one further residual at θ + h v, r_vv ≈ (2/h) ((r(θ + h v) − r)/h − J v), solves with the same
    factors for the acceleration a = argmin ‖J a + r_vv‖² + μ‖a‖², and moves by v + a/2. The step is taken if
    2‖a‖ ≤ `bend`·‖v‖ and the loss falls; μ is then divided by `decrease`, otherwise multiplied by `increase` and
    the step tried again. The Jacobian of the accepted trial is the next step's: nothing is evaluated twice.

    The closure given to `step` returns the `Problem`. The damping is in the parameter group and so in checkpoints.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        damping: float = 1.0,
        increase: float = 3.0,
        decrease: float = 10.0,
        bend: float = 0.75,
        probe: float = 0.1,
        trials: int = 20,
        factorisation: type[Damped] = Orthogonal,
    ) -> None:
        """Sets the damping's rules.

        Args:
            parameters: What is optimised, one group.
            damping: The first μ.
            increase: Factor on μ after a refused trial.
            decrease: Divisor of μ after an accepted one.
            bend: Bound on 2‖a‖/‖v‖; 0 switches the acceleration off.
            probe: The h of the finite difference, relative to v.
            trials: The most trials in a step; if all are refused, the parameters stay.
            factorisation: How the damped problems are solved.
        """
        super().__init__(parameters, {"damping": damping, "increase": increase, "decrease": decrease})
        self.bend, self.probe, self.trials, self.factorisation = bend, probe, trials, factorisation
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
        r = here.vector
        loss = float(r @ r)
        if loss == 0 or not math.isfinite(loss):
            return loss
        jacobian = here.jacobian()
        for _ in range(self.trials):
            move = self._move(problem, theta, r, jacobian, group["damping"])
            if move is not None:
                there = problem.linearise(theta + move)
                if float(there.vector @ there.vector) < loss:
                    self._set(theta + move)
                    problem.accept(there)
                    self._last = (problem, theta + move, there)
                    group["damping"] = max(group["damping"] / group["decrease"], torch.finfo(r.dtype).tiny)
                    return loss
            group["damping"] *= group["increase"]
        self._last = None
        return loss

    def _here(self, problem: Problem, theta: Tensor) -> Linearised:
        if self._last is not None:
            last, where, linearised = self._last
            self._last = None  # its graph is used up by the Jacobian
            if problem.same(last) and torch.equal(theta, where):
                return linearised
        return problem.linearise(theta)

    def _move(self, problem: Problem, theta: Tensor, r: Tensor, jacobian: Tensor, damping: float) -> Tensor | None:
        """The step v + a/2, or None where the path bends too much for it."""
        system = self.factorisation(jacobian, damping)
        v = system.solve(r)
        if not self.bend:
            return v
        h = self.probe
        bent = problem.residual(theta + h * v)
        a = system.solve(2 / h * ((bent - r) / h - jacobian @ v))
        # written so that NaN refuses the step
        return v + a / 2 if float(2 * a.norm()) <= self.bend * float(v.norm()) else None

    def _set(self, theta: Tensor) -> None:
        position = 0
        for p in self.param_groups[0]["params"]:
            p.copy_(theta[position : position + p.numel()].view_as(p))
            position += p.numel()
