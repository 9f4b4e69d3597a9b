"""The callback that writes the record of a run, however the run ends."""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from pinnlab.collocation.datamodule import Collocation
from pinnlab.errors import DivergedError
from pinnlab.reporting.figures import draw_profile
from pinnlab.reporting.files import write_arrays
from pinnlab.reporting.folder import RunFolder
from pinnlab.reporting.record.arrays import covered, exact_arrays, point_arrays, solution_arrays, where
from pinnlab.reporting.record.provenance import commit, versions
from pinnlab.reporting.record.rows import COLUMNS, RowWriter
from pinnlab.reporting.record.telemetry import Telemetry, numbers
from pinnlab.reporting.record.tracking import share
from pinnlab.reporting.sources import data, keep
from pinnlab.training.callbacks.interruption import Interruption
from pinnlab.training.failures import ENDING, over
from pinnlab.training.pinn import PINN
from pinnlab.training.steps import StepReport


class RunRecord(Callback):
    """Writes `metrics.csv` while the run goes on, and `summary.json`, `solution.npz` and `points.npz` at its end.

    The end may be the last phase's, an interruption, a diverged loss or any other error. A run that diverged or
    failed has no metrics or solution, since its parameters may be in the middle of a step. `finish` draws
    `profile.png` when the result has been told.

    Args:
        folder: Where to write.
        seed: The seed of the run, for the summary.
        interruption: Knows whether the run was asked to stop.
    """

    def __init__(self, folder: RunFolder, seed: int | None, interruption: Interruption) -> None:
        self.folder = folder
        self.seed = seed
        self.interruption = interruption
        self._writer: RowWriter | None = None
        self._seconds_before = 0.0
        self._started: float | None = None
        self._loss: float | None = None
        self._telemetry = Telemetry()
        self._sources: dict[str, str] = {}
        self._solution: Mapping[str, Any] | None = None

    @cached_property
    def _provenance(self) -> dict[str, Any]:
        return {"versions": versions(), "commit": commit()}

    @property
    def seconds(self) -> float:
        """Seconds of training, including those before a resume."""
        return self._seconds_before + (time.perf_counter() - self._started if self._started is not None else 0.0)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Add the seconds so far (not as a callback's state, which evaluation without a record would miss)."""
        checkpoint["seconds"] = self.seconds
        if self._writer is not None:
            self._writer.sync()

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Go on counting."""
        self._seconds_before = checkpoint.get("seconds", 0.0)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the record."""
        assert isinstance(pl_module, PINN)
        self._started = time.perf_counter()
        if trainer.is_global_zero:
            self._sources = keep(self.folder, pl_module.equation, pl_module.residuals.network)
            self._writer = RowWriter(self.folder.metrics, columns(pl_module), pl_module.schedule.rows)
            self.folder.write_summary(self._summary(pl_module, "running", {}))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write the step's rows, here and to the loggers."""
        assert isinstance(pl_module, PINN)
        report: StepReport = outputs["report"]
        self._loss = report.loss if report.ended is None else report.ended.loss
        if self._writer is None:
            return
        for row in report.rows:
            self._writer.write(row)
            if trainer.loggers:
                factor = _gradient_factor(trainer, pl_module, report)
                logged = {**numbers(row), **self._telemetry.measure(pl_module, batch, row, factor)}
                for logger in trainer.loggers:
                    logger.log_metrics(logged, step=int(row["step"]))

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the end of a run that finished or was asked to stop."""
        assert isinstance(pl_module, PINN)
        if not trainer.is_global_zero:
            return
        self._end(trainer, pl_module)

    def _end(self, trainer: Trainer, pl_module: PINN) -> None:
        """Write the end, each part for itself, so that an error in one part leaves the others."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, Collocation)
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        status = "finished" if self.interruption.signal is None else "interrupted"
        failures = pl_module.failures
        found: dict[str, Any] = {}
        name, points = where(pl_module, data)
        with failures.kept("the record of the solution"):
            found = solution_arrays(pl_module, name, points)
        with failures.kept("the record of the exact solution"):
            found |= exact_arrays(pl_module, points)
        with failures.kept("the part of the record that the region covers"):
            found = covered(pl_module, name, points, found)
        write_arrays(self.folder.solution, found)
        with failures.kept("the record of the points"):
            write_arrays(self.folder.points, point_arrays(data, pl_module.equation, pl_module.schedule.step))
        self.folder.write_summary(self._summary(pl_module, status, metrics))
        if self._writer is not None:
            self._writer.close()
        self._solution = found

    def finish(self, trainer: Trainer, module: PINN) -> None:
        """Draw the picture of the run and give the loggers its end; the training is over and its record is written.

        Args:
            trainer: The trainer of the run.
            module: What was trained.
        """
        if self._writer is None:
            # another rank writes, or the run failed before its first step
            return
        if self._solution is None:
            with suppress(OSError):
                draw_profile(self.folder)
            return
        failures, before = module.failures, len(module.failures.lines)
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        with failures.kept("the picture of the run"):
            draw_profile(self.folder)
        with failures.kept("logging the end"):
            self._log(trainer, module, metrics, self._solution)
        if len(failures.lines) > before:
            self.folder.write_summary(self.folder.read_summary() | {"failures": failures.lines})

    def _log(self, trainer: Trainer, pl_module: PINN, metrics: dict[str, float], found: Mapping[str, Any]) -> None:
        final = metrics | {f"final/{name}": value for name, value in pl_module.unknowns().items()}
        known = {name: unknown.truth for name, unknown in pl_module.equation.unknowns().items()}
        final |= {f"truth/{name}": truth for name, truth in known.items() if truth is not None}
        for logger in trainer.loggers:
            logger.log_metrics(final, step=pl_module.schedule.step)
            share(logger, self.folder, found)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Write the end of a run that was broken off."""
        assert isinstance(pl_module, PINN)
        if not trainer.is_global_zero:
            return
        if isinstance(exception, Exception) and over(trainer):
            # the training is whole, and so is its record
            pl_module.failures.add(ENDING, exception)
            self._end(trainer, pl_module)
            return
        if self._writer is None and self.folder.summary.exists():
            # a resume that failed before its first step: the record is that of the run before
            return
        status = "failed"
        if isinstance(exception, KeyboardInterrupt):
            status = "interrupted"
        elif isinstance(exception, DivergedError):
            status = "diverged"
        # the disk that broke the run off may not take this either, and what ended the run matters more
        with suppress(OSError):
            self.folder.write_summary(self._summary(pl_module, status, {}))
            if self._writer is not None:
                self._writer.close()

    def _summary(self, module: PINN, status: str, metrics: Mapping[str, float]) -> dict[str, Any]:
        schedule = module.schedule
        truths = {name: unknown.truth for name, unknown in module.equation.unknowns().items()}
        unknowns = {}
        for name, value in module.unknowns().items():
            truth = truths[name]
            error = None if truth is None else abs(value - truth)
            unknowns[name] = {"value": value, "truth": truth, "error": error}
        loss = {} if self._loss is None else {"loss": self._loss}
        return {
            "equation": module.equation.name,
            "engine": type(module.engine).__name__,
            "seed": self.seed,
            **self._provenance,
            "sources": self._sources,
            "data": data(module.equation),
            "phases": [
                {"name": p.name, "steps": p.steps, "seconds": p.seconds, "loss": p.loss, "ended": p.reason or None}
                for p in schedule.records()
            ],
            "seconds": self.seconds,
            "unknowns": unknowns,
            "metrics": loss | dict(metrics),
            "findings": module.findings,
            "built_in": None if module.built_in is None else dataclasses.asdict(module.built_in),
            "status": status,
            "failures": module.failures.lines,
            "signal": None if self.interruption.signal is None else signal.Signals(self.interruption.signal).name,
        }


def _gradient_factor(trainer: Trainer, module: PINN, report: StepReport) -> float | None:
    """The factor on the gradient of the loss in the phase of a step."""
    schedule = module.schedule
    # the schedule is at the next phase already where a step ended one
    index = schedule.index if report.ended is None else report.ended.number - 1
    return schedule.phases[index].gradient_factor(trainer.optimizers[index])


def columns(module: PINN) -> list[str]:
    """The columns of a run's record: step, phase, seconds, loss and its shares, weights, unknowns, `optimiser/NAME`."""
    added: dict[str, None] = {}
    for phase in module.schedule.phases:
        names = phase.columns(phase.optimizer(module.stages.parameters(phase)))
        added |= dict.fromkeys(f"optimiser/{name}" for name in names)
    shares = [f"loss/{name}" for name in module.equation.constraints()]
    weights = [f"weight/{name}" for name in module.balancer.names]
    return [*COLUMNS, *shares, *weights, *module.equation.unknowns(), *added]
