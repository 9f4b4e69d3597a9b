"""Which parameters a phase trains: a stage of the network and the equation's unknowns, all others frozen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from torch import nn

from pinnlab.errors import UserError
from pinnlab.networks import Staged
from pinnlab.residuals import Residuals
from pinnlab.training.phases import Phase


class Stages:
    """The stages of a network as a list of phases trains them; a network without `Staged` is one stage.

    Nothing here is state: which parameters are trained follows from the phase, and whether a stage has begun from
    the network, so that a resumed run stands where it was.

    Args:
        residuals: The network and the equation.
        phases: The phases in order.

    Raises:
        UserError: if a phase trains a stage that the network lacks, or the phases do not take the stages in order.
    """

    def __init__(self, residuals: Residuals, phases: Sequence[Phase]) -> None:
        self.residuals = residuals
        found = [module for module in residuals.network.modules() if isinstance(module, Staged)]
        if len(found) > 1:
            raise UserError(f"a network may hold one Staged, and this one holds {len(found)}")
        self.staged = found[0] if found else None
        self._trainable = {name for name, p in residuals.named_parameters() if p.requires_grad}
        count = 1 if self.staged is None else len(self.staged.stages)
        before = 1
        for number, phase in enumerate(phases, 1):
            where = f"phase {number} ({phase.name}) trains stage {phase.stage}"
            if phase.stage > count:
                has = f"{count} in its Staged" if found else "only one, for it has no Staged"
                raise UserError(f"{where}: the network has {has}")
            if not before <= phase.stage <= before + 1 or (number == 1 and phase.stage > 1):
                rule = "the first phase trains stage 1" if number == 1 else f"the one before it trains stage {before}"
                raise UserError(f"{where}, but {rule}: stages are trained in order, none left out")
            before = phase.stage

    def parameters(self, phase: Phase) -> list[nn.Parameter]:
        """What a phase's optimiser is given, in the order of the module's parameters."""
        if self.staged is None:
            return list(self.residuals.parameters())
        if phase.stage > 1:
            stage = self.staged.stages[phase.stage - 1]
            taken = {id(p) for module in (stage, self.residuals.equation) for p in module.parameters()}
        else:
            later = {id(p) for stage in self.staged.stages[1:] for p in stage.parameters()}
            taken = {id(p) for p in self.residuals.parameters()} - later
        return [p for p in self.residuals.parameters() if id(p) in taken]

    def enter(self, phase: Phase) -> None:
        """Lets a phase's parameters require gradients, and no others."""
        self._require(self.parameters(phase))

    def thaw(self) -> None:
        """Lets all parameters require gradients that did at first, as optimisers expect when they are built."""
        self._require(self.residuals.parameters())

    def begin(self, phase: Phase, loss: Callable[[], float]) -> None:
        """Begins a phase's stage if it has not begun, unless the loss is zero.

        Later stages, which a warm start may bring, are dropped: they correct a network that no longer exists.

        Args:
            phase: The phase.
            loss: Evaluates the loss over all ranks.
        """
        if self.staged is None:
            return
        self.staged.drop(phase.stage)
        if self.staged.scales[phase.stage - 1]:
            return
        self.staged.scales[phase.stage - 1] = math.sqrt(loss())

    @contextmanager
    def together(self) -> Iterator[None]:
        """Within the block all stages are in the sum, also stages that have not begun."""
        if self.staged is None:
            yield
            return
        scales, self.staged.scales = self.staged.scales, [1.0] * len(self.staged.scales)
        try:
            yield
        finally:
            self.staged.scales = scales

    def _require(self, parameters: Iterable[nn.Parameter]) -> None:
        if self.staged is None:
            return
        taken = {id(p) for p in parameters}
        for name, p in self.residuals.named_parameters():
            if name in self._trainable:
                p.requires_grad_(id(p) in taken)
                if not p.requires_grad:
                    p.grad = None
