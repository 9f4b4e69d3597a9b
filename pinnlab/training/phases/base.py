"""What every phase is: one optimiser, a number of steps, and rules for stopping earlier."""

import inspect
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

from torch import nn
from torch.optim import Optimizer

from pinnlab.construction import Constructed
from pinnlab.errors import UserError
from pinnlab.training.objective import Objective


@dataclass(frozen=True)
class Plateau:
    """A stopping rule: the best loss fell by less than the fraction `decrease` during `steps` steps.

    Attributes:
        steps: Length of the window.
        decrease: The relative decrease that counts as progress.

    Example:
        >>> from pinnlab.training import Adam
        >>> Adam(5000, plateau=Plateau(steps=100, decrease=0.01)).plateau
        Plateau(steps=100, decrease=0.01)

    Raises:
        UserError: if `steps` is less than 1 or `decrease` is not in [0, 1).
    """

    steps: int
    decrease: float = 1e-3

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0 <= self.decrease < 1:
            raise UserError(
                f"plateau: steps must be at least 1 and 0 <= decrease < 1; got steps {self.steps} and "
                f"decrease {self.decrease}"
            )


# The types of the fields are those of every phase's constructor, and are read in its module: hence no postponed
# annotations here.
@dataclass(eq=False)
class Phase(Constructed, ABC):
    """One optimiser with its number of steps and its stopping rules.

    A phase is configuration only: what changes during training lives in the optimiser's state and in the
    schedule, both of which are checkpointed. A further phase is a dataclass with `@dataclass(eq=False, kw_only=True)`
    that declares its own options; every phase has the options below. All options but `steps` are given by name.

    Args:
        steps: The most training steps of this phase.
        tolerance: Stop when the loss at the start of a step is less than this number.
        plateau: Stop when the loss falls by less than a given fraction in a given number of steps.
        weights: Constraint name -> factor on its loss during this phase.
        stage: The stage of a `Staged` network to train, from 1, together with the equation's unknowns. Earlier stages
            are frozen, and later stages are not yet in the sum. Any other network is one stage.

    Raises:
        UserError: if the number of steps is negative, a factor not positive and finite, there is no such stage, or
            an option is given without its name.

    Example:
        >>> import torch
        >>> @dataclass(eq=False, kw_only=True)
        ... class Descent(Phase):
        ...     lr: float = 1e-3
        ...
        ...     def optimizer(self, parameters):
        ...         return torch.optim.SGD(parameters, lr=self.lr)
        ...
        ...     def step(self, optimizer, objective, step):
        ...         return float(optimizer.step(objective.closure(optimizer)))
        >>> Descent(100, lr=1e-2, tolerance=1e-8).name
        'Descent'
    """

    steps: int
    _: KW_ONLY
    tolerance: float | None = None
    plateau: Plateau | None = None
    weights: dict[str, float] | None = None
    stage: int = 1

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """Refuses options without a name, and keeps the arguments."""
        kinds = [parameter.kind for parameter in inspect.signature(cls.__init__).parameters.values()]
        if len(arguments) > 1 and kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD) == 2:  # self and steps
            first, *others = arguments
            raise UserError(
                f"{cls.__name__}({first!r:.20}, {', '.join(f'{other!r:.20}' for other in others)}): give all but the "
                f"number of steps by name, as {cls.__name__}({first!r:.20}, tolerance=1e-8)"
            )
        return super().__new__(cls, *arguments, **named)

    def __post_init__(self) -> None:
        """Check the options; a subclass with options of its own calls this as well."""
        if self.steps < 0:
            raise UserError(f"{self.name}: steps must not be negative, got {self.steps}")
        self.weights = self.weights or {}
        for constraint, factor in self.weights.items():
            if not (math.isfinite(factor) and factor > 0):
                raise UserError(f"{self.name}: the weight of {constraint} must be positive, got {factor}")
        if self.stage < 1:
            raise UserError(f"{self.name}: stages count from 1, got {self.stage}")

    @property
    def name(self) -> str:
        """The name in records, logs and messages."""
        return type(self).__name__

    @property
    def evaluations_per_step(self) -> int:
        """About how many loss evaluations a step costs; logging is spaced by evaluations."""
        return 1

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
        """Whether the linear unknowns are frozen in the phase's step number `step` (from 0)."""
        return False

    def reweighted(self, optimizer: Optimizer, ratio: float) -> None:
        """Called between two steps when balancing has changed the weights of the loss.

        Args:
            optimizer: The optimiser.
            ratio: The loss with the new weights over that with the old ones, at the same parameters.
        """
        return

    def exhausted(self, optimizer: Optimizer) -> bool:
        """Whether the last step found that none lowers the loss at these points by more than rounding errors."""
        return False

    def gradient_factor(self, optimizer: Optimizer) -> float | None:
        """The factor on the loss whose gradient a step leaves in the parameters; None if it leaves no gradient."""
        return 1.0

    def columns(self, optimizer: Optimizer) -> dict[str, float]:
        """What to log about the optimiser beside the loss, such as its learning rate."""
        return {"lr": float(optimizer.param_groups[0]["lr"])}


def allowance(gib: float | None) -> float:
    """A number of GiB in bytes; None stands for half of the machine's memory."""
    return gib * 2**30 if gib is not None else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2
