"""The LightningModule: thin, it brings residuals, phases and metrics together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
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
from pinnlab.geometry import Points
from pinnlab.jets import IndexSet
from pinnlab.networks import Columns
from pinnlab.ranks import Ranks
from pinnlab.residuals import Residuals, Sobolev
from pinnlab.residuals.balancing import Balancing
from pinnlab.residuals.hard.conditions import BuiltIn, build_in
from pinnlab.training.balancer import Balancer
from pinnlab.training.compatibility import check_same
from pinnlab.training.evaluation.held_out import Evaluation
from pinnlab.training.evaluation.overfitting import HeldOut
from pinnlab.training.failures import Failures
from pinnlab.training.phases import Phase
from pinnlab.training.schedule import Schedule
from pinnlab.training.stages import Stages
from pinnlab.training.steps import Batch, StepReport, Steps


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
        balancing: How the weights of constraints or points follow the training, beside these fixed ones; not at all
            by default.
        hard: Build the equation's conditions into the network where that can be done, or those of the constraints
            named: see `build_in`.

    Raises:
        UserError: if the equation's declaration is wrong, the phases are, the balancing does not fit, or a constraint
            cannot be built in.
    """

    def __init__(
        self,
        equation: Equation,
        network: Callable[[int, int], nn.Module],
        engine: Engine,
        phases: list[Phase],
        sobolev: dict[str, Sobolev] | None = None,
        weights: dict[str, float] | None = None,
        balancing: Balancing | None = None,
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
            for name in phase.weights or {}:
                if name not in self.residuals.terms:
                    raise UserError(f"{phase.name} weighs {name!r}: there are {', '.join(self.residuals.terms)}")
        self.stages = Stages(self.residuals, phases)
        self.balancer = Balancer(balancing, equation)
        self.held_out = HeldOut()
        self.steps = Steps(self.residuals, self.schedule, self.stages, self.balancer, self.held_out)
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
        # Lightning's wrapper of the phase's optimiser, which counts its steps
        optimizers = self.optimizers()
        # Lightning hands out the optimiser itself where there is only one
        optimizer = cast(Optimizer, optimizers[self.schedule.index] if isinstance(optimizers, list) else optimizers)
        data = self._data
        report = self.steps.take(
            batch,
            optimizer,
            Ranks(self.device),
            held_out=None if data is None else lambda: self._here(data.held_out_batch()),
            changes=data is not None and data.changes,
            log_every=self.trainer.log_every_n_steps,  # type: ignore[attr-defined]
        )
        if self.schedule.done:
            self.trainer.should_stop = True
        return {"report": report}

    def on_train_start(self) -> None:
        """Refuse points that a callback replaces where each has a weight of its own.

        Raises:
            UserError: if one does.
        """
        self.balancer.check(self._data is not None and self._data.changes)

    @property
    def _data(self) -> Collocation | None:
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        return data if isinstance(data, Collocation) else None

    def _here(self, batch: Batch) -> Batch:
        """Points on the device of the module."""
        return {name: {key: column.to(self.device) for key, column in points.items()} for name, points in batch.items()}

    def on_validation_epoch_start(self) -> None:
        """Begin counting errors afresh."""
        self._evaluation = Evaluation(self.residuals, self.device)

    def on_test_epoch_start(self) -> None:
        """Begin counting errors afresh."""
        self._evaluation = Evaluation(self.residuals, self.device)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Errors and residual norms on held-out points."""
        assert self._evaluation is not None
        weighting = self.steps.weighting(batch, Ranks(self.device))
        if self.trainer.state.fn != TrainerFn.FITTING:
            self._evaluation.update(batch, weighting, self._trained())
            return
        with self.failures.kept("the evaluation on held-out points"):
            self._evaluation.update(batch, weighting, self._trained())

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Errors and residual norms on held-out points."""
        assert self._evaluation is not None
        self._evaluation.update(batch, self.steps.weighting(batch, Ranks(self.device)), self._trained())

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
            "balancing": self.balancer.state_dict(),
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
            self.balancer.load_state_dict(checkpoint["pinnlab"].get("balancing"))

    def check(self, checkpoint: Mapping[str, Any], resume: bool = False) -> None:
        """Makes sure that a checkpoint is of this equation and network.

        Args:
            checkpoint: Its contents.
            resume: Whether to go on from it, so that the phases must fit as well.

        Raises:
            UserError: if it is of another equation, network or list of phases, saying what differs.
        """
        check_same(checkpoint, self.equation.name, self.settings, self.state_dict())
        if resume:
            self.balancer.fits(checkpoint["pinnlab"].get("balancing"))
            Schedule(self.schedule.phases).load_state_dict(checkpoint["pinnlab"]["schedule"])

    def _trained(self) -> Batch | None:
        """The points of the last training step, of all ranks."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if data is None:
            return None
        return self._here(data.batch(max(0, self.schedule.step - 1)))
