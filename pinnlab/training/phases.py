"""Phases: a training run is a list of optimisers, each with a number of steps and rules for stopping earlier."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.optim import Optimizer

from pinnlab.construction import Constructed
from pinnlab.errors import UserError
from pinnlab.training.limited_memory import LimitedBFGS
from pinnlab.training.objective import Objective


@dataclass(frozen=True)
class Stall:
    """A stopping rule: the best loss fell by less than the fraction `decrease` during `steps` steps.

    Attributes:
        steps: Length of the window.
        decrease: The relative decrease that counts as progress.
    """

    steps: int
    decrease: float = 1e-3

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0 <= self.decrease < 1:
            raise UserError(
                f"stall: steps must be at least 1 and 0 <= decrease < 1; got steps {self.steps} and "
                f"decrease {self.decrease}"
            )


class Phase(Constructed, ABC):
    """One optimiser with its number of steps and its stopping rules.

    A phase is configuration only: what changes during training lives in the optimiser's state and in the
    schedule, both of which are checkpointed.

    Args:
        steps: The most training steps of this phase.
        below: Stop when the loss at the start of a step is below this value.
        stall: Stop when the loss no longer falls.
        weights: Constraint name -> factor on its loss during this phase.
        stage: The stage of a `Staged` network to train, from 1, beside the equation's unknowns. Those before are
            frozen, those after take no part yet; other networks have one stage, which is all of them.

    Raises:
        UserError: if the number of steps is negative, a factor not positive and finite, or there is no such stage.
    """

    evaluations_per_step: int = 1
    """About how many loss evaluations a step costs; logging is spaced by evaluations."""

    def __init__(
        self,
        steps: int,
        below: float | None = None,
        stall: Stall | None = None,
        weights: dict[str, float] | None = None,
        stage: int = 1,
    ) -> None:
        if steps < 0:
            raise UserError(f"{type(self).__name__}: steps must not be negative, got {steps}")
        for constraint, factor in (weights or {}).items():
            if not (math.isfinite(factor) and factor > 0):
                raise UserError(f"{type(self).__name__}: the weight of {constraint} must be positive, got {factor}")
        if stage < 1:
            raise UserError(f"{type(self).__name__}: stages count from 1, got {stage}")
        self.weights = weights or {}
        self.stage = stage
        self.steps = steps
        self.below = below
        self.stall = stall

    @property
    def name(self) -> str:
        """The name in records, logs and messages."""
        return type(self).__name__

    @abstractmethod
    def optimizer(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """A fresh optimiser of the parameters; everything that a resumed run needs is in its state."""

    @abstractmethod
    def step(self, optimizer: Optimizer, objective: Objective, step: int) -> float:
        """Take the phase's step number `step` (from 0) and return the loss where it started.

        Raises:
            DivergedError: if the loss is NaN or infinite.
        """

    def holds(self, step: int) -> bool:
        """Whether the linear unknowns keep their values in the phase's step number `step` (from 0)."""
        return False

    def reweighted(self, optimizer: Optimizer, ratio: float) -> None:
        """Told, between two steps, that balancing changed the weights of the loss.

        Args:
            optimizer: The optimiser.
            ratio: The loss with the new weights over that with the old ones, at the same parameters.
        """
        return

    def exhausted(self, optimizer: Optimizer) -> bool:
        """Whether the last step found that none lowers the loss at these points by more than rounding errors."""
        return False

    def columns(self, optimizer: Optimizer) -> dict[str, float]:
        """What to log about the optimiser beside the loss, such as its learning rate."""
        return {"lr": float(optimizer.param_groups[0]["lr"])}


class Adam(Phase):
    """Adam (Kingma & Ba 2015), full batch.

    The learning rate at step s of S is `lr · f(s/S)`, with f = 1 for `constant`; for the others it falls from
    1 to `final`: `cosine` is f(p) = final + (1 - final)(1 + cos πp)/2, `exponential` is f(p) = final^p. It is
    computed from the step alone, so a resumed run needs no state for it.

    Args:
        steps: The most training steps.
        lr: Learning rate at the first step.
        schedule: How the learning rate falls.
        final: Fraction of the learning rate that is left at the last step.
        betas: Decay rates of the two moments.
        below: Stop when the loss is below this value.
        stall: Stop when the loss no longer falls.
        weights: Constraint name -> factor on its loss during this phase.
        stage: The stage of a `Staged` network to train.

    Raises:
        UserError: if `lr` is not positive and finite or `final` is not in (0, 1].
    """

    def __init__(
        self,
        steps: int,
        lr: float = 1e-3,
        schedule: Literal["constant", "cosine", "exponential"] = "constant",
        final: float = 0.01,
        betas: tuple[float, float] = (0.9, 0.999),
        below: float | None = None,
        stall: Stall | None = None,
        weights: dict[str, float] | None = None,
        stage: int = 1,
    ) -> None:
        super().__init__(steps, below, stall, weights, stage)
        if not 0 < lr < math.inf or not 0 < final <= 1:
            raise UserError(f"Adam: lr must be positive and finite, final in (0, 1]; got lr {lr} and final {final}")
        self.lr = lr
        self.schedule = schedule
        self.final = final
        self.betas = betas

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """`torch.optim.Adam`."""
        return torch.optim.Adam(parameters, lr=self.lr, betas=self.betas)

    def learning_rate(self, step: int) -> float:
        """The learning rate at step `step` of the phase."""
        progress = step / max(1, self.steps)
        if self.schedule == "cosine":
            return self.lr * (self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2)
        if self.schedule == "exponential":
            return self.lr * self.final**progress
        return self.lr

    def step(self, optimizer: Optimizer, objective: Objective, step: int) -> float:
        """One update from one evaluation of the loss and its gradient."""
        for group in optimizer.param_groups:
            group["lr"] = self.learning_rate(step)
        loss: torch.Tensor = optimizer.step(objective.closure(optimizer))  # type: ignore[assignment, arg-type]
        return float(loss)


class LBFGS(Phase):
    """L-BFGS with a strong Wolfe line search, full batch; a training step is `inner` iterations.

    `torch.optim.LBFGS` drops curvature pairs with y·s <= 1e-10, an absolute bound, so that on a small loss it
    freezes long before rounding errors matter. It is therefore given the loss times a constant that makes it
    `scale` at the start of the phase, and its own tolerances are zero: the phase ends when `stall` says so. Where an
    unknown with bounds is trained, iterations with as long a memory keep within them: see `quasi_newton.iterate`.

    Args:
        steps: The most training steps.
        inner: Iterations per training step; about 1.25 times as many evaluations at most.
        history: Number of curvature pairs kept.
        lr: First trial step of the line search.
        scale: Value that the loss is scaled to at the start of the phase.
        below: Stop when the loss is below this value.
        stall: Stop when the loss no longer falls.
        weights: Constraint name -> factor on its loss during this phase.
        stage: The stage of a `Staged` network to train.

    Raises:
        UserError: if `inner`, `history`, `scale` or `lr` is not positive and finite.
    """

    def __init__(
        self,
        steps: int,
        inner: int = 20,
        history: int = 50,
        lr: float = 1.0,
        scale: float = 1e6,
        below: float | None = None,
        stall: Stall | None = Stall(steps=10, decrease=1e-3),
        weights: dict[str, float] | None = None,
        stage: int = 1,
    ) -> None:
        super().__init__(steps, below, stall, weights, stage)
        if inner < 1 or history < 1 or not 0 < scale < math.inf or not 0 < lr < math.inf:
            raise UserError(
                f"LBFGS: inner, history, scale and lr must be positive and finite; got inner {inner}, "
                f"history {history}, scale {scale} and lr {lr}"
            )
        self.inner = inner
        self.history = history
        self.lr = lr
        self.scale = scale
        self.evaluations_per_step = inner

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """`LimitedBFGS` with its tolerances switched off."""
        return LimitedBFGS(
            parameters,
            lr=self.lr,
            max_iter=self.inner,
            history_size=self.history,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )

    def reweighted(self, optimizer: Optimizer, ratio: float) -> None:
        """Takes no difference of gradients of two losses."""
        optimizer.forget_gradient()  # type: ignore[attr-defined]

    def step(self, optimizer: Optimizer, objective: Objective, step: int) -> float:
        """`inner` iterations from the optimiser's memory of the steps before."""
        group = optimizer.param_groups[0]
        if step == 0:
            # kept in the parameter group, which a checkpoint holds: a resumed run must not choose another scale
            group["scale"] = self.scale / max(objective.value(), 1e-300)
        scale = group["scale"]
        closure, box = objective.closure(optimizer, scale), objective.box(group["params"])
        loss: torch.Tensor = optimizer.step(closure, box=box)  # type: ignore[call-overload]
        return float(loss) / scale
