"""Phases: a training run is a list of optimisers, each with a number of steps and rules for stopping earlier."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer

from pinnlab.construction import Constructed
from pinnlab.errors import UserError
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

    def exhausted(self, optimizer: Optimizer) -> bool:
        """Whether the last step found that none lowers the loss at these points by more than rounding errors."""
        return False

    def columns(self, optimizer: Optimizer) -> dict[str, float]:
        """What to log about the optimiser beside the loss, such as its learning rate."""
        return {"lr": float(optimizer.param_groups[0]["lr"])}


def allowance(gib: float | None) -> float:
    """The bytes in so many GiB; half of the machine's memory where none are given."""
    return gib * 2**30 if gib is not None else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2
