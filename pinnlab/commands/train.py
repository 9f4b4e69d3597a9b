"""`fit`, `validate`, `test` and `predict`: LightningCLI with pinnlab's defaults, run folder and messages."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from jsonargparse import set_parsing_settings
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch import Trainer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from pinnlab.collocation.datamodule import Collocation
from pinnlab.commands import building
from pinnlab.commands.continuing import continuing
from pinnlab.commands.parsing import parse
from pinnlab.errors import UserError
from pinnlab.ranks import lost_ranks
from pinnlab.reporting.folder import RunFolder, write_arrays, write_atomically
from pinnlab.reporting.plus_minus import plus_minus
from pinnlab.reporting.record import RunRecord
from pinnlab.reporting.rehearsal import rehearse
from pinnlab.reporting.sources import compare
from pinnlab.reporting.tracking import Tracker, Wandb, mode, start
from pinnlab.solution.saved import read_solution, run_of
from pinnlab.training.callbacks.checkpoint import Checkpoint, newest, verify
from pinnlab.training.callbacks.interruption import Interruption
from pinnlab.training.callbacks.progress import Progress, clock
from pinnlab.training.failures import ENDING, over
from pinnlab.training.pinn import PINN
from pinnlab.training.schedule import EndedError
from pinnlab.training.setup import TRAINER_DEFAULTS, bind, check, default_dtype, precision_dtype, without_warnings
from pinnlab.training.trainer_options import building as building_trainer
from pinnlab.training.trainer_options import check_options, check_processes, one_line
from pinnlab.training.warm_start import warm_start

# Interpolations such as ${data.seed} mean the keys of the file, wherever the parser nests it.
set_parsing_settings(omegaconf_absolute_to_relative_paths=True)


@dataclass(frozen=True)
class Run:
    """Where a fit leaves its record.

    Attributes:
        root: Folder of run folders.
        name: Name of the run folder; equation, engine, seed and time by default.
        checkpoint_seconds: Seconds between two checkpoints.
        checkpoint_steps: Training steps between two checkpoints, as well.
        threads: Threads that torch may use; its own choice by default. Small networks are fastest with one.
        warm_start: A run folder or checkpoint to begin from: its network, which must be of the same size, and those
            unknowns that lie within their bounds here. The equation may be another. A run that is continued goes on
            from its own checkpoint.
    """

    root: str = "runs"
    name: str | None = None
    checkpoint_seconds: float = 60.0
    checkpoint_steps: int | None = None
    threads: int | None = None
    warm_start: str | None = None

    def __post_init__(self) -> None:
        """Check the numbers and the name.

        Raises:
            UserError: if one is out of its range.
        """
        if self.name is not None and (not self.name.strip() or not self.name.isprintable()):
            raise UserError(f"run.name: {self.name!r} is no name of a folder")
        if not self.checkpoint_seconds >= 0:
            raise UserError(f"run.checkpoint_seconds must not be negative, not {self.checkpoint_seconds}")
        for name, value in (("checkpoint_steps", self.checkpoint_steps), ("threads", self.threads)):
            if value is not None and value < 1:
                raise UserError(f"run.{name} must be positive, not {value}")


def main(command: str, arguments: Sequence[str]) -> int:
    """Run one of the four commands.

    Returns:
        0, or 128 plus the number of the signal that interrupted the run.

    Raises:
        UserError: if the configuration or a checkpoint is wrong.
        DivergedError: if the loss became NaN or infinite.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    with ExitStack() as stack:
        stack.enter_context(without_warnings())
        stack.enter_context(default_dtype(torch.get_default_dtype()))
        cli = TrainingCLI(
            command, ["--help" if argument == "--help-all" else argument for argument in arguments], stack
        )
        return cli.status


class TrainingCLI(LightningCLI):
    """One command: parses, builds and runs it.

    Attributes:
        status: The exit status.
    """

    def __init__(self, command: str, arguments: Sequence[str], stack: ExitStack) -> None:
        self.command = command
        self.arguments = list(arguments)
        self.stack = stack
        self.status = 0
        self.folder: RunFolder | None = None
        self.interruption = Interruption()
        self.checkpoint_path: Path | None = None
        self.begins = False
        """Whether `--ckpt_path last` met a run without a checkpoint, stopped before its first or never started."""
        self.tracker: Tracker | None = None
        strict = {"exit_on_error": False}
        super().__init__(
            PINN,
            Collocation,
            args=[command, *arguments],
            trainer_defaults=TRAINER_DEFAULTS,
            seed_everything_default=0,
            save_config_callback=None,
            parser_kwargs={"parser_mode": "omegaconf+", **strict, command: strict},
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
        )

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """The command asked for alone: building a parser for each of the four takes seconds."""
        every = LightningCLI.subcommands()
        return {self.command: every[self.command] | {"weights_only"}}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """The run folder and W&B."""
        parser.add_class_arguments(Run, "run")
        parser.add_class_arguments(Wandb, "wandb")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, with errors of one line."""
        self.config = parse(parser, self._subcommand_parsers[self.command], list(args))

    def _parse_ckpt_path(self) -> None:
        """Find and check the checkpoint; its contents never change the configuration."""
        config = self.config[self.command]
        given, run = config.ckpt_path, config.run
        if given is None:
            if self.command != "fit":
                raise UserError(f"{self.command} needs a trained network: give --ckpt_path RUN/checkpoints/last.ckpt")
            return
        if given == "last":
            if run.name is None:
                raise UserError("--ckpt_path last needs the name of the run to continue: give --run.name")
            folder = RunFolder(Path(run.root) / run.name)
            self.checkpoint_path = newest(folder.checkpoints, _note)
            if self.checkpoint_path is None:
                if self.command != "fit":
                    raise UserError(f"the run {folder.path} has no checkpoint")
                _note(f"the run {folder.path} has no checkpoint yet: it starts from the beginning")
                self.begins = True
            return
        self.checkpoint_path = Path(given)
        verify(self.checkpoint_path)

    def _set_seed(self) -> None:
        """Seed the generators.

        Raises:
            UserError: if numpy cannot be seeded with that.
        """
        seed = self.config[self.command].seed_everything
        if not isinstance(seed, bool) and not 0 <= seed < 2**32:
            raise UserError(f"seed_everything: a seed lies between 0 and {2**32 - 1}, not {seed}")
        super()._set_seed()

    def before_instantiate_classes(self) -> None:
        """Weights are drawn and points sampled in the precision of training."""
        threads = self.config[self.command].run.threads
        if threads is not None and threads > 0:
            # others are refused where Run is built
            torch.set_num_threads(threads)
        torch.set_default_dtype(precision_dtype(self.config[self.command].trainer.precision))

    def instantiate_classes(self) -> None:
        """Build data, model and trainer (as LightningCLI does, by the name that jsonargparse now has for it)."""
        with building.one_line():
            self.config_init = self.parser.instantiate(self.config)
            self.datamodule = self._get(self.config_init, "data")
            self.model = self._get(self.config_init, "model")
            bind(self.model, self.datamodule)
            if self.command == "fit":
                check(self.model, self.datamodule)
                rehearse(self.model, self.datamodule, _list(self.config_init[self.command].trainer.callbacks))
        self.trainer = self.instantiate_trainer()

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Refuse options that a run cannot take, and add what keeps the record."""
        config = self.config_init[self.command]
        check_options(config.trainer.as_dict(), self.datamodule.steps)
        dump = self._dump()
        configured = yaml.safe_load(dump)["model"]
        self.model.settings = {f"model.{key}": configured[key] for key in ("equation", "network", "hard")}
        if SLURMEnvironment.detect():
            # Lightning's own requeueing saves in the middle of a step; the scripts requeue by the exit status
            with building_trainer():
                kwargs["plugins"] = [*_list(config.trainer.plugins), SLURMEnvironment(auto_requeue=False)]
        steps = self.datamodule.steps
        kwargs["log_every_n_steps"] = max(1, min(config.trainer.log_every_n_steps or 1, steps))
        if self.checkpoint_path is not None and is_rank_zero():
            compare(RunFolder(run_of(self.checkpoint_path)), self.model.equation, self.model.residuals.network)
        # a dry one first: a device or strategy that is not there leaves no folder behind
        with building_trainer():
            trainer = super().instantiate_trainer(**kwargs)
        check_processes(trainer, os.environ if SLURMEnvironment.detect() else {})
        if self.command != "fit":
            return trainer
        if not config.trainer.logger:
            # before anything is written
            mode()
        if self.checkpoint_path is not None:
            # before anything is written
            self._check_resume(self.checkpoint_path)
        elif config.run.warm_start is not None:
            source = Path(config.run.warm_start)
            warm_start(self.model, read_solution(source), source)
        self.folder = self._run_folder(config.run)
        seed = self.config[self.command].seed_everything
        if is_rank_zero():
            self.stack.enter_context(self.folder.locked())
            write_atomically(self.folder.config, dump)
            if not config.trainer.logger:
                self.tracker = start(config.wandb, self.folder, yaml.safe_load(dump))
                kwargs["logger"] = self.tracker or False
        run = config.run
        kwargs["callbacks"] = [
            *_list(config.trainer.callbacks),
            Progress(),
            # in this order: a checkpoint counts the rows that are written, and is due when a signal came
            RunRecord(self.folder, seed, self.interruption),
            self.interruption,
            Checkpoint(self.folder.checkpoints, run.checkpoint_seconds, run.checkpoint_steps),
        ]
        with building_trainer():
            return super().instantiate_trainer(**kwargs)

    def _dump(self) -> str:
        """The resolved configuration as YAML.

        Raises:
            UserError: if there is something in it that cannot be written.
        """
        try:
            text: str = self._parser(self.command).dump(self.config[self.command], skip_unset=False)
        except ValueError as error:
            found = re.search(r"class_path='[\w.]*?(\w+)'", str(error))
            raise UserError(
                f"{found[1] if found else 'a value'} cannot be written into the run's configuration: leave it out "
                "(trainer.max_time limits the time)"
            ) from error
        return text

    def _prepare_subcommand_kwargs(self, subcommand: str) -> dict[str, Any]:
        kwargs = super()._prepare_subcommand_kwargs(subcommand)
        return kwargs | {"ckpt_path": self.checkpoint_path, "weights_only": True}

    def fit(self, **kwargs: Any) -> None:
        """Train, and say where the record is."""
        assert self.folder is not None
        try:
            with lost_ranks(), one_line():
                self.trainer.fit(**kwargs)
        except SystemExit:
            # how Lightning ends after a Ctrl-C that came outside of a step, or twice
            self._say_interrupted(signal.SIGINT)
            raise KeyboardInterrupt from None
        except Exception as error:
            if not over(self.trainer):
                raise
            self.model.failures.add(ENDING, error)
        finally:
            if self.tracker is not None:
                self.tracker.finish()
            if is_rank_zero():
                print(f"run folder: {self.folder.path}")
        if is_rank_zero():
            print(_ending(self.model, self.trainer))
        with lost_ranks():
            # a queue may end the others when one process leaves with a status of its own
            self.trainer.strategy.barrier("the record is written")
        if self.model.failures.lines:
            self.status = 1
        if self.interruption.signal is not None:
            self._say_interrupted(self.interruption.signal)
            self.status = 128 + self.interruption.signal

    def _say_interrupted(self, number: int) -> None:
        """Say where the run was interrupted and how it goes on, if there is something to go on from."""
        assert self.folder is not None
        if not is_rank_zero() or not (self.folder.checkpoints / "last.ckpt").exists():
            return
        root = Path(self.config[self.command].run.root)
        _note(
            f"interrupted by {signal.Signals(number).name} after step {self.model.schedule.step}; "
            f"continue with: {continuing(self.command, self.arguments, root, self.folder.path)}"
        )

    def predict(self, **kwargs: Any) -> None:
        """Write the solution on held-out points beside the checkpoint's run."""
        assert self.checkpoint_path is not None
        batches = self.trainer.predict(**kwargs | {"return_predictions": True})
        assert batches is not None
        names = list(batches[0])
        arrays: dict[str, Any] = {name: np.concatenate([batch[name].numpy() for batch in batches]) for name in names}
        path = run_of(self.checkpoint_path) / "prediction.npz"
        write_arrays(path, arrays)
        print(f"{', '.join(names)} at {len(arrays[names[0]])} points: {path}")

    def _check_resume(self, path: Path) -> None:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        try:
            self.model.check(stored, resume=True)
        except EndedError:
            before = path.with_name("previous.ckpt")
            if path.name != "last.ckpt" or RunFolder(run_of(path)).finished or not before.exists():
                raise
            _note(f"the run {run_of(path)} was stopped at its very end: its last steps are repeated")
            verify(before)
            self.checkpoint_path = before

    def _run_folder(self, run: Run) -> RunFolder:
        root = Path(run.root)
        if not is_rank_zero():
            return RunFolder(root)
        if self.checkpoint_path is not None:
            previous = run_of(self.checkpoint_path)
            if run.name is None or previous.resolve() == (root / run.name).resolve():
                return RunFolder.open(previous)
        if self.begins and run.name is not None and (root / run.name).exists():
            return RunFolder.open(root / run.name)
        equation, engine = self.model.equation.name, type(self.model.engine).__name__
        seed = self.config[self.command].seed_everything
        return RunFolder.create(root, run.name, f"{equation}-{engine}-{seed}")


def is_rank_zero() -> bool:
    """Whether this process writes, known before a process group exists."""
    return getattr(rank_zero_only, "rank", 0) == 0


def _list(value: Any) -> list[Any]:
    """An option of the trainer that may be a list, one thing or nothing."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _note(line: str) -> None:
    """Say something about the start of a run, once for all ranks."""
    if is_rank_zero():
        print(f"pinnlab: {line}", file=sys.stderr)


def _ending(model: PINN, trainer: Trainer) -> str:
    parts = [f"{model.schedule.step} steps in {clock(model.schedule.seconds)}"]
    for name, unknown in model.equation.unknowns().items():
        value = float(unknown.value.detach())
        error = "" if unknown.truth is None else f" (error {abs(value - unknown.truth):.2e})"
        estimate = trainer.callback_metrics.get(f"uncertainty_{name}")
        shown = f"{value:.15g}" if estimate is None else plus_minus(value, float(estimate))
        parts.append(f"{name} = {shown}{error}")
    estimates = {name: trainer.callback_metrics.get(f"uncertainty_{name}") for name in model.equation.outputs}
    parts += [f"{name} ± {float(estimate):.0e}" for name, estimate in estimates.items() if estimate is not None]
    parts += [
        f"{name.replace('_', ' ')} {float(trainer.callback_metrics[name]):.2e}"
        for name in ("max_error", "relative_l2")
        if name in trainer.callback_metrics
    ]
    return ", ".join(parts)
