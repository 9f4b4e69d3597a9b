"""`fit`, `validate`, `test` and `predict`: LightningCLI with pinnlab's defaults, run folder and messages."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from jsonargparse import set_parsing_settings
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch import Trainer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from pinnlab.collocation.datamodule import Collocation
from pinnlab.commands.options import building
from pinnlab.commands.options.configuration import defaults
from pinnlab.commands.options.explanations import refuse_untyped
from pinnlab.commands.options.given import Given
from pinnlab.commands.options.parsing import parse
from pinnlab.commands.options.run_options import RunOptions
from pinnlab.commands.training.ending import ending
from pinnlab.commands.training.notes import is_rank_zero, note
from pinnlab.commands.training.resolved import resolved
from pinnlab.commands.training.resuming import continuing, refuse_solve, resumable
from pinnlab.errors import UserError
from pinnlab.ranks import lost_ranks
from pinnlab.reporting.files import write_arrays, write_atomically
from pinnlab.reporting.folder import RunFolder
from pinnlab.reporting.record.tracking import Tracker, Wandb, mode, start
from pinnlab.reporting.sources import compare
from pinnlab.solution.run import Kept, Run
from pinnlab.solution.saved import read_solution, run_of
from pinnlab.training.callbacks.checkpoint import newest, verify
from pinnlab.training.callbacks.progress import terminal
from pinnlab.training.failures import over
from pinnlab.training.pinn import PINN
from pinnlab.training.setup.given import seed_of
from pinnlab.training.setup.settings import TRAINER_DEFAULTS, bind, default_dtype, precision_dtype, without_warnings
from pinnlab.training.setup.trainer_options import check_processes, listed, make_trainer, settled
from pinnlab.training.setup.warm_start import warm_start

# Interpolations such as ${data.seed} mean the keys of the file, wherever the parser nests it.
set_parsing_settings(omegaconf_absolute_to_relative_paths=True)

_SECTIONS = ("model", "data", "trainer", "run", "wandb")


def train(command: str, arguments: Sequence[str], given: Given, quiet: bool = False) -> int:
    """Run one of the four commands as its options describe it.

    Args:
        command: The command.
        arguments: Its arguments, as they are repeated to a user who wants to continue.
        given: What they give.
        quiet: Whether `fit` is to print nothing but its result.

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
        return TrainingCLI(command, arguments, given, stack, quiet).status


class TrainingCLI(LightningCLI):
    """One command: parses, builds and runs it.

    Attributes:
        status: The exit status.
    """

    def __init__(
        self, command: str, arguments: Sequence[str], given: Given, stack: ExitStack, quiet: bool = False
    ) -> None:
        self.command = command
        self.quiet = quiet
        self.arguments = list(arguments)
        self.given = given
        self.stack = stack
        self.status = 0
        self.folder: RunFolder | None = None
        self.checkpoint_path: Path | None = None
        self.begins = False
        """Whether `--ckpt_path last` met a run without a checkpoint, stopped before its first or never started."""
        self.tracker: Tracker | None = None
        strict = {"exit_on_error": False}
        super().__init__(
            PINN,
            Collocation,
            args=[],
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
        parser.add_class_arguments(RunOptions, "run")
        parser.add_class_arguments(Wandb, "wandb")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, with errors of one line."""
        command, first = self.command, defaults(self.given.content)
        self.config = parse(parser, self.given, first, _SECTIONS, self._subcommand_parsers[command], command)
        refuse_untyped(self.config[command].model.network, "model.network")

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
            if self.command == "fit":
                refuse_solve(folder)
            self.checkpoint_path = newest(folder.checkpoints, note)
            if self.checkpoint_path is None:
                if self.command != "fit":
                    raise UserError(f"the run {folder.path} has no checkpoint")
                note(f"the run {folder.path} has no checkpoint yet: it starts from the beginning")
                self.begins = True
            return
        self.checkpoint_path = Path(given)
        verify(self.checkpoint_path)
        if self.command == "fit":
            refuse_solve(RunFolder(run_of(self.checkpoint_path)))

    def _set_seed(self) -> None:
        """Seed the generators.

        Raises:
            UserError: if numpy cannot be seeded with that.
        """
        seed = self.config[self.command].seed_everything
        if not isinstance(seed, bool):
            seed_of(seed, "seed_everything")
        super()._set_seed()

    def before_instantiate_classes(self) -> None:
        """Weights are drawn and points sampled in the precision of training."""
        threads = self.config[self.command].run.threads
        if threads is not None and threads > 0:
            # others are refused where Run is built
            torch.set_num_threads(threads)
        torch.set_default_dtype(precision_dtype(self.config[self.command].trainer.precision))

    def instantiate_classes(self) -> None:
        """Build model, data and trainer (as LightningCLI does, by the name that jsonargparse now has for it)."""
        with building.one_line():
            self.config_init = self.parser.instantiate(self.config)
            self.datamodule = self._get(self.config_init, "data")
            self.model = self._get(self.config_init, "model")
            if self.command != "fit":
                bind(self.model, self.datamodule)
        dump = resolved(self._parser(self.command), self.config[self.command])
        configured = yaml.safe_load(dump)["model"]
        self.model.settings = {f"model.{key}": configured[key] for key in ("equation", "network", "hard")}
        if self.checkpoint_path is not None and is_rank_zero():
            compare(RunFolder(run_of(self.checkpoint_path)), self.model.equation, self.model.residuals.network)
        options = self.config_init[self.command].trainer.as_dict()
        environment = os.environ if SLURMEnvironment.detect() else {}
        if self.command != "fit":
            self.trainer = make_trainer(settled(options, self.datamodule.steps), listed(options["callbacks"]))
            check_processes(self.trainer, environment)
            return
        self._say(f"trying {self.model.equation.name} out: its points, derivatives and record")
        with building.one_line():
            self.run = Run(self.model, self.datamodule, options)
        check_processes(self.run.dry, environment)
        self.trainer = self._assemble(self.run, dump, options["logger"])

    def _assemble(self, run: Run, dump: str, logger: Any) -> Trainer:
        """The trainer of a fit; from here on there is a run folder."""
        given: RunOptions = self.config_init[self.command].run
        if not logger:
            mode()
        if self.checkpoint_path is not None:
            self.checkpoint_path = resumable(self.model, self.checkpoint_path, note)
        elif given.warm_start is not None:
            source = Path(given.warm_start)
            warm_start(self.model, read_solution(source), source)
        self.folder = self._run_folder(given)
        if is_rank_zero():
            self.stack.enter_context(self.folder.locked())
            write_atomically(self.folder.config, dump)
            if not logger:
                wandb = self.config_init[self.command].wandb
                logger = self.tracker = start(wandb, self.folder, yaml.safe_load(dump))
        seed = self.config[self.command].seed_everything
        kept = Kept(self.folder, seed, given.checkpoint_seconds, given.checkpoint_steps)
        return run.trainer(progress=not self.quiet, kept=kept, logger=logger or False)

    def _prepare_subcommand_kwargs(self, subcommand: str) -> dict[str, Any]:
        kwargs = super()._prepare_subcommand_kwargs(subcommand)
        return kwargs | {"ckpt_path": self.checkpoint_path, "weights_only": True}

    def fit(self, **kwargs: Any) -> None:
        """Train, print the result, and take its exit status."""
        assert self.folder is not None
        arguments = {name: value for name, value in kwargs.items() if name not in ("model", "datamodule")}
        try:
            self.run.train(self.trainer, self._tell, **arguments)
        except KeyboardInterrupt:
            self._say_interrupted(signal.SIGINT)
            raise
        finally:
            if self.tracker is not None:
                self.tracker.finish()
        with lost_ranks():
            # a queue may end the others when one process leaves with a status of its own
            self.trainer.strategy.barrier("the record is written")
        if self.model.failures.lines:
            self.status = 1
        if (number := self.run.interruption.signal) is not None:
            self._say_interrupted(number)
            self.status = 128 + number

    def _tell(self) -> None:
        """Say where the record is, and the result of a training that was not broken off."""
        assert self.folder is not None
        if is_rank_zero():
            self._say(f"run folder: {self.folder.path}")
            if over(self.trainer):
                print(ending(self.model, self.trainer))
            # a reader of a pipe has it before the figures are drawn
            sys.stdout.flush()

    def _say(self, line: str) -> None:
        """Say what goes on, once for all ranks and unless nobody wants to know; a reader may have gone."""
        if not self.quiet and is_rank_zero():
            terminal().print(line, markup=False)

    def _say_interrupted(self, number: int) -> None:
        """Say where the run was interrupted and how it goes on, if there is something to go on from."""
        assert self.folder is not None
        if not is_rank_zero() or not (self.folder.checkpoints / "last.ckpt").exists():
            return
        root = Path(self.config[self.command].run.root)
        note(
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

    def _run_folder(self, run: RunOptions) -> RunFolder:
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
