"""The Adam phase."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.optim import Optimizer

from pinnlab.errors import UserError
from pinnlab.training.objective import Objective
from pinnlab.training.phases.base import Phase


@dataclass(eq=False, kw_only=True)
class Adam(Phase):
    """Adam (Kingma & Ba 2015), full batch.

    The learning rate at step s of S is `lr · f(s/S)`, with f = 1 for `constant`. For the others f falls from 1 to
    `final`. `cosine` is f(p) = final + (1 - final)(1 + cos πp)/2, and `exponential` is f(p) = final^p. It is computed
    from the step alone, so a resumed run needs no state for it.

    Args:
        lr: Learning rate at the first step.
        schedule: How the learning rate falls.
        final: Fraction of the learning rate that is left at the last step.
        betas: Decay rates of the two moments.

    Raises:
        UserError: if `lr` is not positive and finite or `final` is not in (0, 1].

    Example:
        >>> phase = Adam(100, lr=1e-2, schedule="exponential", final=0.01)
        >>> [round(phase.learning_rate(step), 6) for step in (0, 50, 100)]
        [0.01, 0.001, 0.0001]
    """

    lr: float = 1e-3
    schedule: Literal["constant", "cosine", "exponential"] = "constant"
    final: float = 0.01
    betas: tuple[float, float] = (0.9, 0.999)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.lr < math.inf or not 0 < self.final <= 1:
            raise UserError(
                f"Adam: lr must be positive and finite, final in (0, 1]; got lr {self.lr} and final {self.final}"
            )

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
