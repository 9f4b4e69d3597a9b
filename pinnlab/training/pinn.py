"""The LightningModule: thin, it brings residuals, phases and metrics together."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor, nn
from torch.optim import Optimizer

from pinnlab.collocation.datamodule import Collocation
from pinnlab.engines import Engine
from pinnlab.equations import Equation
from pinnlab.equations.constraints import domain
from pinnlab.equations.inputs import axis_names
from pinnlab.errors import UserError
from pinnlab.geometry import Points, size
from pinnlab.jets import IndexSet
from pinnlab.networks import Columns
from pinnlab.ranks import Ranks
from pinnlab.residuals import Residuals, Sobolev
from pinnlab.residuals.hard import BuiltIn, build_in
from pinnlab.residuals.weighting import Weighting
from pinnlab.training.evaluation.held_out import Evaluation
from pinnlab.training.evaluation.overfitting import HeldOut
from pinnlab.training.failures import Failures
from pinnlab.training.objective import Objective, term_losses
from pinnlab.training.phases import Phase
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
            unknowns and what the phase adds, as `optimiser/NAME`. One where the step started, one more where a phase
            ended.
        ended: The phase that this step ended, or None.
    """

    step: int
    loss: float
    rows: tuple[Row, ...]
    ended: PhaseRecord | None


class PINN(LightningModule):
    """A network trained to satisfy an equation.

    A training step is one step of the current phase's optimiser, on one batch of points. Optimisation is manual,
    since each phase has an optimiser of its own and some evaluate the loss many times a step.

    Args:
        equation: The equation, with its constraints and unknowns.
        network: Called with the numbers of inputs and outputs to build the network; they are `Columns`, with names.
        engine: How derivatives are computed.
        phases: The optimisers, one after the other.
        sobolev: Constraint name -> weights of its residual's derivatives, instead of the equation's own.
        weights: Constraint name -> weight of its loss, instead of the equation's own.
        hard: Build the equation's conditions into the network where that can be done, or those of the constraints
            named: see `build_in`.

    Raises:
        UserError: if the equation's declaration is wrong, or the phases are, or a constraint cannot be built in.
    """

    def __init__(
        self,
        equation: Equation,
        network: Callable[[int, int], nn.Module],
        engine: Engine,
        phases: list[Phase],
        sobolev: dict[str, Sobolev] | None = None,
        weights: dict[str, float] | None = None,
        hard: bool | list[str] = False,
    ) -> None:
        super().__init__()
        equation.check()
        self.automatic_optimization = False
        built = network(Columns(axis_names(equation.inputs)), Columns(equation.outputs))
        self.built_in: BuiltIn | None = None
        """Which conditions are built into the network; None where none were to be."""
        if hard:
            built, self.built_in = build_in(built, equation, hard)
        self.residuals = Residuals(built, equation, engine, sobolev, weights)
        self.schedule = Schedule(phases)
        for phase in phases:
            for name in phase.weights:
                if name not in self.residuals.terms:
                    raise UserError(f"{phase.name} weighs {name!r}: there are {', '.join(self.residuals.terms)}")
        self.stages = Stages(self.residuals, phases)
        self.held_out = HeldOut()
        self.settings: Mapping[str, Any] = {}
        """How equation and network were configured, if a file did: a checkpoint goes with these settings alone."""
        self.findings: list[str] = []
        """What the last evaluation found wrong with the solution, in sentences."""
        self.failures = Failures()
        """What went wrong after the training."""
        self._evaluation: Evaluation | None = None

    @property
    def equation(self) -> Equation:
        """The equation that is trained."""
        return self.residuals.equation

    @property
    def engine(self) -> Engine:
        """How derivatives are computed."""
        return self.residuals.engine

    def unknowns(self) -> dict[str, float]:
        """The current values of the unknowns."""
        return {name: float(unknown.value.detach()) for name, unknown in self.equation.unknowns().items()}

    def forward(self, points: Points) -> dict[str, Tensor]:
        """The outputs at the points by name, each `(N,)`."""
        fields = self.residuals.fields(points, IndexSet.simplex(self.equation.dimension, 0))
        return {name: fields[name].value for name in self.equation.outputs}

    def residual_values(self, batch: Batch) -> dict[str, Tensor]:
        """The residuals themselves, without weights or derivatives of them: constraint name -> `(components, N)`."""
        with torch.enable_grad():
            unweighted = self.residuals.unweighted()
            blocks = unweighted(batch, unweighted.weighting)
        return {name: block.detach() for name, block in blocks.items()}

    def configure_optimizers(self) -> list[Optimizer]:
        """One optimiser for each phase, of what it trains; declared at once, so that checkpoints hold all."""
        self.stages.thaw()
        return [phase.optimizer(self.stages.parameters(phase)) for phase in self.schedule.phases]

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, StepReport]:
        """One step of the current phase.

        Raises:
            DivergedError: if the loss is NaN or infinite.
        """
        schedule, phase = self.schedule, self.schedule.phase
        # Lightning's wrapper of the phase's optimiser, which counts its steps
        optimizers = self.optimizers()
        # Lightning hands out the optimiser itself where there is only one
        optimizer = cast(Optimizer, optimizers[schedule.index] if isinstance(optimizers, list) else optimizers)
        self.stages.enter(phase)
        held = phase.holds(schedule.step_in_phase)
        self.stages.begin(phase, self._objective(batch, held).value)
        if schedule.step_in_phase == 0 and self._data is not None:
            self.held_out.begin(self._held_out_loss(), self.residuals.state_dict())
        objective = self._objective(batch, held)
        step = schedule.step
        due = schedule.step_in_phase % self._log_every(phase) == 0
        unknowns = self.unknowns() if due else {}
        started = time.perf_counter()
        loss = phase.step(optimizer, objective, schedule.step_in_phase)
        objective.settle()
        overfits = self.held_out.look(loss, self._held_out_loss, self.residuals.state_dict)
        reason = schedule.advance(loss, time.perf_counter() - started, self._over(phase, optimizer, overfits))
        columns = phase.columns(optimizer)
        rows = [self._row(step, loss, objective, unknowns, columns)] if due else []
        ended = None
        if reason:
            reason = self._keep_the_better(batch, held, reason)
            final = self._objective(batch, held)
            value = final.value()
            # to the last bit what the row says
            final.found(final.first_values)
            final.settle()
            rows.append(self._row(schedule.step, value, final, self.unknowns(), columns))
            ended = schedule.end_phase(value, reason)
        schedule.rows += len(rows)
        if schedule.done:
            self.trainer.should_stop = True
        return {"report": StepReport(step, loss, tuple(rows), ended)}

    def _over(self, phase: Phase, optimizer: Optimizer, overfits: bool) -> str:
        """Why a phase is over that could take further steps; empty while it goes on."""
        if overfits:
            return "overfitting"
        # at other points there may be something to gain
        if phase.exhausted(optimizer) and not (self._data is not None and self._data.changes):
            return "converged: no step lowers the loss by more than rounding errors"
        return ""

    def _keep_the_better(self, batch: Batch, held: bool, reason: str) -> str:
        """Goes back to the network with the lowest held-out loss of a phase that ended far above it.

        Returns:
            Why the phase ended, of which a return is a part.
        """
        value = self._objective(batch, held).value()
        if not self.held_out.ended(value, self._held_out_loss, self.residuals.state_dict):
            return reason
        self.residuals.load_state_dict(self.held_out.kept)
        return (
            f"overfitting: the loss at held-out points rose from {self.held_out.best:.1e} to {self.held_out.last:.1e} "
            f"while that at the training points fell to {value:.1e}; the network of the lower one is kept (take more "
            "points or a smaller network)"
        )

    @property
    def _data(self) -> Collocation | None:
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        return data if isinstance(data, Collocation) else None

    def _held_out_loss(self) -> float:
        """The loss at held-out points, with the phase's weights: the same points, and the same bits, on every rank."""
        assert self._data is not None
        batch = {
            name: {key: column.to(self.device) for key, column in points.items()}
            for name, points in self._data.held_out_batch().items()
        }
        weighting = self.residuals.over(batch).times(self.schedule.phase.weights)
        ranks = Ranks(self.device)
        with torch.no_grad():
            # the ranks decide alike on what is to be kept
            return float(ranks.sum(Residuals.loss(self.residuals(batch, weighting)))) / ranks.size

    def on_validation_epoch_start(self) -> None:
        """Begin counting errors afresh."""
        self._evaluation = Evaluation(self.residuals, self.device)

    def on_test_epoch_start(self) -> None:
        """Begin counting errors afresh."""
        self._evaluation = Evaluation(self.residuals, self.device)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Errors and residual norms on held-out points."""
        assert self._evaluation is not None
        weighting = self._weighting(batch, Ranks(self.device))
        if self.trainer.state.fn != TrainerFn.FITTING:
            self._evaluation.update(batch, weighting, self._trained())
            return
        with self.failures.kept("the evaluation on held-out points"):
            self._evaluation.update(batch, weighting, self._trained())

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Errors and residual norms on held-out points."""
        assert self._evaluation is not None
        self._evaluation.update(batch, self._weighting(batch, Ranks(self.device)), self._trained())

    def on_validation_epoch_end(self) -> None:
        """Log what was counted, and say what is wrong with the solution."""
        self._conclude()
        self._evaluation = None

    def on_test_epoch_end(self) -> None:
        """Log what was counted, and say what is wrong with the solution."""
        self._conclude()

    def _conclude(self) -> None:
        assert self._evaluation is not None
        self.log_dict(self._evaluation.compute(), sync_dist=True)
        records = self.schedule.records()
        with self.failures.kept("the judgement of the solution"):
            self.findings = self._evaluation.findings(records[-1].loss if records else None)
        if self.trainer.is_global_zero:
            for finding in self.findings:
                logging.getLogger("pinnlab").warning("pinnlab: %s", finding)

    def predict_step(self, batch: Batch, batch_idx: int) -> Points:
        """The points of the domain with the outputs there, as columns."""
        constraints = self.equation.constraints()
        name = domain(constraints)
        points = constraints[name].flat(batch[name])
        inputs = {name: points[name] for name in self.equation.inputs}
        with torch.enable_grad():
            return inputs | {name: values.detach() for name, values in self(points).items()}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the schedule, and drop Lightning's loop counters: where a run stands has one truth."""
        checkpoint.pop("loops", None)
        checkpoint["pinnlab"] = {
            "equation": self.equation.name,
            "settings": dict(self.settings),
            "schedule": self.schedule.state_dict(),
            "held_out": self.held_out.state_dict(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the schedule, if the checkpoint fits.

        Raises:
            UserError: as for `check`.
        """
        self.check(checkpoint)
        if self.trainer.training:
            self.schedule.load_state_dict(checkpoint["pinnlab"]["schedule"])
            # a version of the package that did not watch the held-out loss wrote none
            if "held_out" in checkpoint["pinnlab"]:
                self.held_out.load_state_dict(checkpoint["pinnlab"]["held_out"])

    def check(self, checkpoint: Mapping[str, Any], resume: bool = False) -> None:
        """Makes sure that a checkpoint is of this equation and network.

        Args:
            checkpoint: Its contents.
            resume: Whether to go on from it, so that the phases must fit as well.

        Raises:
            UserError: if it is of another equation, network or list of phases, saying what differs.
        """
        own, stored = checkpoint.get("pinnlab"), checkpoint.get("state_dict")
        if own is None or stored is None:
            raise UserError("the checkpoint was not written by pinnlab")
        if own["equation"] != self.equation.name:
            raise UserError(f"the checkpoint holds {own['equation']}, but the configuration has {self.equation.name}")
        for key, value, given in differences(own["settings"], self.settings):
            raise UserError(f"the checkpoint was written with {key} = {value}, but the configuration has {given}")
        for name, value in self.state_dict().items():
            if name not in stored:
                raise UserError(f"the checkpoint has no {name}: it was written with another network or equation")
            if stored[name].shape != value.shape:
                raise UserError(
                    f"the checkpoint's {name} has the shape {tuple(stored[name].shape)}, but the configuration "
                    f"makes it {tuple(value.shape)}: it was written with another network"
                )
        extra = [name for name in stored if name not in self.state_dict()]
        if extra:
            raise UserError(f"the checkpoint has {extra[0]}, which this network and equation lack")
        if resume:
            Schedule(self.schedule.phases).load_state_dict(own["schedule"])

    def _objective(self, batch: Batch, held: bool) -> Objective:
        ranks = Ranks(self.device)
        weighting = self._weighting(batch, ranks).times(self.schedule.phase.weights)
        return Objective(self.residuals, batch, weighting=weighting, ranks=ranks, where=self.schedule.where, held=held)

    def _weighting(self, batch: Batch, ranks: Ranks) -> Weighting:
        """The configured weighting with means over the points of all ranks."""
        counts = torch.tensor([size(points) for points in batch.values()], device=self.device)
        return self.residuals.weighting.over(dict(zip(batch, ranks.sum(counts).tolist(), strict=True)))

    def _trained(self) -> dict[str, Points] | None:
        """The points of the last training step, of all ranks."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if data is None:
            return None
        batch = data.batch(max(0, self.schedule.step - 1))
        return {name: {key: column.to(self.device) for key, column in points.items()} for name, points in batch.items()}

    def _log_every(self, phase: Phase) -> int:
        """Logging is spaced by loss evaluations, since a step of one phase may cost many of another's."""
        return max(1, self.trainer.log_every_n_steps // phase.evaluations_per_step)  # type: ignore[attr-defined]

    def _row(
        self,
        step: int,
        loss: float,
        objective: Objective,
        unknowns: Mapping[str, float],
        columns: Mapping[str, float],
    ) -> Row:
        shares = {f"loss/{name}": value for name, value in term_losses(objective.first_blocks, objective.ranks).items()}
        head: Row = {"step": step, "phase": self.schedule.label, "seconds": self.schedule.seconds, "loss": loss}
        added = {f"optimiser/{name}": value for name, value in columns.items()}
        # the linear unknowns are those that the loss was evaluated with
        return {**head, **shares, **unknowns, **objective.first_values, **added}


def differences(
    stored: Mapping[str, Any], given: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """What two nested dictionaries say differently: the key with dots, and both values.

    Keys that one of them lacks are passed over: a version of the package that has no such option wrote it.
    """
    for key in stored:
        if key in given and stored[key] != given[key]:
            if isinstance(stored[key], Mapping) and isinstance(given[key], Mapping):
                yield from differences(stored[key], given[key], f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", stored[key], given[key]
