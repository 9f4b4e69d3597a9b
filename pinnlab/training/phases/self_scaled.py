"""Phases of the self-scaled Broyden family: quasi-Newton with a dense inverse Hessian."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer

from pinnlab.errors import UserError
from pinnlab.optimisers.quasi_newton import Member, QuasiNewton, self_scaled_bfgs, self_scaled_broyden
from pinnlab.training.objective import Objective
from pinnlab.training.phases.base import Phase, Plateau, allowance


@dataclass(eq=False, kw_only=True)
class SelfScaled(Phase):
    """A self-scaled quasi-Newton method, full batch: see `QuasiNewton`. A training step is `inner` iterations.

    Each iteration costs little more than the evaluation of the loss for networks of up to some thousand
    parameters; for P parameters it stores P² numbers. The steps do not depend on the scale of the loss. If points are
    drawn anew between steps, the inverse Hessian is kept, and no difference of gradients at different points is taken.

    Args:
        inner: Iterations per training step; about 1.1 times as many evaluations.
        memory: GiB that the inverse Hessian may take; half of the machine's by default.

    Raises:
        UserError: if `inner` or `memory` is not positive.
    """

    inner: int = 20
    memory: float | None = None
    plateau: Plateau | None = Plateau(steps=10, decrease=1e-3)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inner < 1 or (self.memory is not None and self.memory <= 0):
            raise UserError(
                f"{self.name}: inner and memory must be positive; got inner {self.inner} and memory {self.memory}"
            )

    @property
    def evaluations_per_step(self) -> int:
        """One for each iteration."""
        return self.inner

    @property
    @abstractmethod
    def member(self) -> Member:
        """The member of the family."""

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> QuasiNewton:
        """`QuasiNewton`.

        Raises:
            UserError: if the inverse Hessian would not fit into the memory.
        """
        trained = [p for p in parameters if p.requires_grad]
        size = sum(p.numel() for p in trained)
        needed, allowed = size**2 * trained[0].element_size(), allowance(self.memory)
        if needed > allowed:
            raise UserError(
                f"{self.name} needs about {needed / 2**30:.1f} GiB for the inverse Hessian of {size} parameters, more "
                f"than the {allowed / 2**30:.1f} GiB allowed: take a smaller network or LBFGS, or raise the phase's "
                "memory"
            )
        return QuasiNewton(trained, self.member, self.inner)

    def step(self, optimizer: Optimizer, objective: Objective, step: int) -> float:
        """`inner` iterations from what the steps before learnt of the curvature."""
        closure, box = objective.closure(optimizer), objective.box(optimizer.param_groups[0]["params"])
        loss: float = optimizer.step(closure, box=box)  # type: ignore[call-overload]
        return loss

    def columns(self, optimizer: Optimizer) -> dict[str, float]:
        """Nothing: there is no learning rate."""
        return {}


class SSBroyden(SelfScaled):
    """Self-scaled Broyden (Al-Baali; Urbán, Stefanou & Pons 2025, arXiv 2405.04230), full batch: see `SelfScaled`.

    Example:
        >>> from pinnlab.training import Adam
        >>> phases = [Adam(2000), SSBroyden(200, inner=20)]  # for pinnlab.solve(equation, phases=phases)
        >>> [phase.steps * phase.evaluations_per_step for phase in phases]
        [2000, 4000]
    """

    @property
    def member(self) -> Member:
        """`self_scaled_broyden`."""
        return self_scaled_broyden


class SSBFGS(SelfScaled):
    """Self-scaled BFGS (Al-Baali; Urbán, Stefanou & Pons 2025, arXiv 2405.04230), full batch: see `SelfScaled`.

    Example:
        >>> tau, phi = SSBFGS(200).member(2.0, 1.0, 10)  # for b = s·H⁻¹s/(y·s) = 2: H is divided by τ = 1/b
        >>> tau, phi
        (0.5, 1.0)
    """

    @property
    def member(self) -> Member:
        """`self_scaled_bfgs`."""
        return self_scaled_bfgs
