"""The steps of a run: what one changes, in which order, and what it reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch.optim import Optimizer

from pinnlab.geometry import Points, size
from pinnlab.ranks import Ranks
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian.stored import StoredOutputs
from pinnlab.residuals.weighting import Weighting
from pinnlab.training.balancer import Balancer
from pinnlab.training.evaluation.overfitting import HeldOut
from pinnlab.training.objective import Objective
from pinnlab.training.schedule import PhaseRecord, Schedule
from pinnlab.training.stages import Stages

Batch = Mapping[str, Points]
"""Constraint name -> its points."""

Row = dict[str, float | int | str]
"""A line of the record."""


@dataclass(frozen=True)
class StepReport:
    """What a training step tells the callbacks.

    Attributes:
        step: The number of the step in the run, from 0.
        loss: The loss where the step started.
        rows: The lines for the record that are due: step, phase, seconds, loss, each constraint's share of it, the
            weights that balancing changes, the unknowns and what the phase adds, as `optimiser/NAME`. There is one line
            for the start of the step, and one more if a phase ended. Losses have the fixed weights.
        ended: The phase that this step ended, or None.
    """

    step: int
    loss: float
    rows: tuple[Row, ...]
    ended: PhaseRecord | None


class Steps:
    """Takes the steps of a run, one after the other.

    Before a step the weights of balancing change and a stage begins, if it is time. The objective is then built once,
    and the phase's optimiser evaluates it as often as it asks. After the step the linear unknowns are written, the
    held-out loss is watched, and the schedule moves on.

    Args:
        residuals: The network and the equation.
        schedule: Where the run stands.
        stages: The stages of the network.
        balancer: The weights that follow the training.
        held_out: Watches the held-out loss.
    """

    def __init__(
        self, residuals: Residuals, schedule: Schedule, stages: Stages, balancer: Balancer, held_out: HeldOut
    ) -> None:
        self.residuals, self.schedule, self.stages = residuals, schedule, stages
        self.balancer, self.held_out = balancer, held_out
        self.outputs = StoredOutputs()
        """What the steps of a phase share: the jets of features that are fixed, at points that stay."""

    def take(
        self,
        batch: Batch,
        optimizer: Optimizer,
        ranks: Ranks,
        *,
        held_out: Callable[[], Batch] | None = None,
        changes: bool = False,
        log_every: int = 1,
    ) -> StepReport:
        """One step of the current phase.

        Args:
            batch: The points, a rank's share.
            optimizer: That of the phase.
            ranks: Who holds the other points.
            held_out: Gives the held-out points, the same on every rank; without them nothing is watched.
            changes: Whether later steps may see other points.
            log_every: How many evaluations of the loss lie between two rows of the record.

        Raises:
            DivergedError: if the loss is NaN or infinite.
        """
        schedule, phase = self.schedule, self.schedule.phase
        self.stages.enter(phase)
        held, state = phase.holds(schedule.step_in_phase), self.residuals.state_dict
        fixed = self._fixed(batch, ranks)

        def objective() -> Objective:
            return self._objective(batch, fixed, ranks, held)

        def watched() -> float:
            assert held_out is not None
            return self._held_out_loss(held_out(), ranks)

        self.stages.begin(phase, lambda: _value(objective()))
        if schedule.step_in_phase == 0 and held_out is not None:
            self.held_out.begin(watched(), state())
        step = schedule.step
        # by evaluations of the loss, since a step of one phase may cost many of another's
        due = schedule.step_in_phase % max(1, log_every // phase.evaluations_per_step) == 0
        unknowns = self._unknowns() if due else {}
        started = time.perf_counter()
        ratio = self.balancer.update(step, self.residuals, batch, fixed, ranks)
        if ratio != 1:
            phase.reweighted(optimizer, ratio)
        taken = objective()
        loss = taken.fixed(phase.step(optimizer, taken, schedule.step_in_phase))
        taken.settle()
        overfits = self.held_out.look(loss, watched, state)
        reason = schedule.advance(
            loss, time.perf_counter() - started, _over(overfits, phase.exhausted(optimizer) and not changes)
        )
        columns = phase.columns(optimizer)
        rows = [self._row(step, loss, taken, unknowns, columns)] if due else []
        ended = None
        if reason:
            final = objective()
            value = _value(final)
            if self.held_out.ended(value, watched, state):
                reason = self._overfitted(value)
                self.residuals.load_state_dict(self.held_out.kept)
                final = objective()
                value = _value(final)
            # to the last bit what the row says
            final.found(final.first_values)
            final.settle()
            rows.append(self._row(schedule.step, value, final, self._unknowns(), columns))
            ended = schedule.end_phase(value, reason)
            self.outputs.clear()
        schedule.rows += len(rows)
        return StepReport(step, loss, tuple(rows), ended)

    def objective(self, batch: Batch, ranks: Ranks, held: bool = False) -> Objective:
        """What the current phase minimises at these points, with the present weights."""
        return self._objective(batch, self._fixed(batch, ranks), ranks, held)

    def weighting(self, batch: Batch, ranks: Ranks) -> Weighting:
        """The configured weighting with means over the points of all ranks."""
        counts = torch.tensor([size(points) for points in batch.values()], device=ranks.device)
        return self.residuals.weighting.over(dict(zip(batch, ranks.sum(counts).tolist(), strict=True)))

    def _fixed(self, batch: Batch, ranks: Ranks) -> Weighting:
        """The weighting of the configuration and the phase."""
        return self.weighting(batch, ranks).times(self.schedule.phase.weights or {})

    def _objective(self, batch: Batch, fixed: Weighting, ranks: Ranks, held: bool) -> Objective:
        weighting = self.balancer.weighting(fixed, batch, ranks)
        return Objective(
            self.residuals,
            batch,
            weighting=weighting,
            ranks=ranks,
            where=self.schedule.where,
            held=held,
            outputs=self.outputs,
        )

    def _held_out_loss(self, batch: Batch, ranks: Ranks) -> float:
        """The loss at held-out points, with the phase's weights: the same bits on every rank."""
        weighting = self.residuals.over(batch).times(self.schedule.phase.weights or {})
        with torch.no_grad():
            # the ranks decide alike on what is to be kept
            return float(ranks.sum(Residuals.loss(self.residuals(batch, weighting)))) / ranks.size

    def _overfitted(self, value: float) -> str:
        """Why a phase ended that goes back to the network with the lowest held-out loss."""
        return (
            f"overfitting: the loss at held-out points rose from {self.held_out.best:.1e} to {self.held_out.last:.1e} "
            f"while that at the training points fell to {value:.1e}; the network of the lower one is kept (take more "
            "points or a smaller network)"
        )

    def _unknowns(self) -> dict[str, float]:
        return {name: float(u.value.detach()) for name, u in self.residuals.equation.unknowns().items()}

    def _row(
        self,
        step: int,
        loss: float,
        objective: Objective,
        unknowns: Mapping[str, float],
        columns: Mapping[str, float],
    ) -> Row:
        shares = {f"loss/{name}": value for name, value in objective.shares().items()}
        weights = self.balancer.columns(objective.weighting, objective.points, objective.ranks)
        head: Row = {"step": step, "phase": self.schedule.label, "seconds": self.schedule.seconds, "loss": loss}
        added = {f"optimiser/{name}": value for name, value in columns.items()}
        # the linear unknowns are those that the loss was evaluated with
        return {**head, **shares, **weights, **unknowns, **objective.first_values, **added}


def _value(objective: Objective) -> float:
    """The loss with the fixed weights at the linear unknowns of the loss that is minimised."""
    return objective.fixed(objective.value())


def _over(overfits: bool, exhausted: bool) -> str:
    """Why a phase is over that could take further steps; empty while it goes on."""
    if overfits:
        return "overfitting"
    return "converged: no step lowers the loss by more than rounding errors" if exhausted else ""
