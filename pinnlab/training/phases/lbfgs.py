"""The L-BFGS phase."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Optimizer

from pinnlab.errors import UserError
from pinnlab.optimisers.limited_memory import LimitedBFGS
from pinnlab.training.objective import Objective
from pinnlab.training.phases.base import Phase, Plateau


@dataclass(eq=False, kw_only=True)
class LBFGS(Phase):
    """L-BFGS with a strong Wolfe line search, full batch; a training step is `inner` iterations.

    `torch.optim.LBFGS` drops curvature pairs with y·s <= 1e-10, an absolute bound, so that on a small loss it freezes
    long before rounding errors matter. It is therefore given the loss times a constant, which makes it `scale` at the
    start of the phase. Its own tolerances are zero, and the phase's `tolerance` and `plateau` end it. If an unknown
    with bounds is trained, the iterations are those of `quasi_newton.iterate`, with as many pairs.

    Args:
        inner: Iterations per training step; about 1.25 times as many evaluations at most.
        history: Number of curvature pairs kept.
        lr: First trial step of the line search.
        scale: Value that the loss is scaled to at the start of the phase.

    Raises:
        UserError: if `inner`, `history`, `scale` or `lr` is not positive and finite.

    Example:
        >>> from pinnlab.training import Adam
        >>> phases = [Adam(2000), LBFGS(200, inner=20)]  # for pinnlab.solve(equation, phases=phases)
        >>> [phase.steps * phase.evaluations_per_step for phase in phases]
        [2000, 4000]
    """

    inner: int = 20
    history: int = 50
    lr: float = 1.0
    scale: float = 1e6
    plateau: Plateau | None = Plateau(steps=10, decrease=1e-3)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inner < 1 or self.history < 1 or not 0 < self.scale < math.inf or not 0 < self.lr < math.inf:
            raise UserError(
                f"LBFGS: inner, history, scale and lr must be positive and finite; got inner {self.inner}, "
                f"history {self.history}, scale {self.scale} and lr {self.lr}"
            )

    @property
    def evaluations_per_step(self) -> int:
        """One for each iteration."""
        return self.inner

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

    def gradient_factor(self, optimizer: Optimizer) -> float:
        """The scale of the loss in this phase."""
        return float(optimizer.param_groups[0].get("scale", 1.0))

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
