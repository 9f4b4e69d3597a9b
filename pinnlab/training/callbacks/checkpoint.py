"""Checkpoints: every so often, at the end of each phase, and when the run ends or is interrupted."""

from __future__ import annotations

import os
import pickle
import shutil
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from pinnlab.errors import UserError
from pinnlab.ranks import Ranks
from pinnlab.training.callbacks.random_state import random_state, set_random_state
from pinnlab.training.pinn import PINN
from pinnlab.training.steps import StepReport


class Checkpoint(Callback):
    """Writes `last.ckpt` between steps, keeping the one before, and a copy of it at the end of each phase.

    A checkpoint is written beside the others and moved into place, so that a killed run leaves whole ones. It
    holds the parameters (unknowns among them), every optimiser's state, the schedule and the random state of
    every rank, all of it loadable with `torch.load(weights_only=True)`. The first is written before the first
    step. Nothing is written when a run diverges or fails: the last good one stays.

    Args:
        folder: Where the checkpoints go.
        every_seconds: Seconds between two of them; None for phase ends and the run's end only.
        every_steps: Training steps between two of them; None for no such rule.

    Raises:
        UserError: if one cannot be written; those before are left.
    """

    def __init__(self, folder: Path, every_seconds: float | None = 60.0, every_steps: int | None = None) -> None:
        self.folder = folder
        self.every_seconds = every_seconds
        self.every_steps = every_steps
        self._written = (-1, 0.0)
        self._random: list[dict[str, Any]] | None = None

    @property
    def last(self) -> Path:
        """The newest checkpoint."""
        return self.folder / "last.ckpt"

    @property
    def previous(self) -> Path:
        """The one before."""
        return self.folder / "previous.ckpt"

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Add the random state of every rank."""
        checkpoint["random"] = Ranks(pl_module.device).list(random_state())

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keep the random state until training begins."""
        self._random = checkpoint.get("random")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go on with the stored random state, and write the first checkpoint."""
        assert isinstance(pl_module, PINN)
        if self._random is not None:
            set_random_state(self._random[trainer.global_rank % len(self._random)])
        # a run that goes on from another one than the last, which may be damaged, puts its own in that one's place
        self._write(trainer, pl_module, rotate=False)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write one if it is due."""
        assert isinstance(pl_module, PINN)
        report: StepReport = outputs["report"]
        ended = report.ended
        if ended is not None:
            self._write(trainer, pl_module)
            if trainer.is_global_zero:
                copy = self.folder / f"phase_{ended.number}_{ended.name}.ckpt"
                with _written(copy):
                    _copy(self.last, copy)
        elif trainer.should_stop or self._due(pl_module, report.step + 1):
            self._write(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the last one, if something else than a phase or a signal ended the run."""
        assert isinstance(pl_module, PINN)
        if self._written[0] != pl_module.schedule.step:
            self._write(trainer, pl_module)

    def _due(self, module: PINN, step: int) -> bool:
        if self.every_steps is not None and step % self.every_steps == 0:
            return True
        if self.every_seconds is None:
            return False
        due = time.monotonic() - self._written[1] >= self.every_seconds
        # the clocks of two ranks differ, and writing is a joint act
        return bool(Ranks(module.device).largest(due))

    def _write(self, trainer: Trainer, module: PINN, rotate: bool = True) -> None:
        temporary = self.folder / "last.tmp"
        with _written(self.last):
            trainer.save_checkpoint(temporary, weights_only=False)
            if trainer.is_global_zero:
                if rotate:
                    # a copy: there is a last one at every moment
                    _copy(self.last, self.previous)
                _move(temporary, self.last)
        self._written = (module.schedule.step, time.monotonic())


class _written:
    """Turns what goes wrong in writing a file into one line; the temporary file is removed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            return
        # torch's own writer reports a full disk as a RuntimeError
        if isinstance(error, OSError) or (isinstance(error, RuntimeError) and "PytorchStreamWriter" in str(error)):
            reason = getattr(error, "strerror", None) or "the file could not be written whole"
            with suppress(OSError):  # a folder that is read-only now keeps what it has
                for temporary in self.path.parent.glob("*.tmp"):
                    temporary.unlink()
            raise UserError(
                f"cannot write the checkpoint {self.path}: {reason}; those before are kept: "
                "make room and continue with --ckpt_path last"
            ) from error


def verify(path: Path) -> None:
    """Make sure that a checkpoint can be read, without running any code that it may hold.

    Raises:
        UserError: if it does not exist, is damaged or is no checkpoint.
    """
    if not path.is_file():
        raise UserError(f"there is no checkpoint {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            # torch does not look at the checksums that it writes
            whole = archive.testzip() is None
        if whole:
            torch.load(path, map_location="cpu", weights_only=True)
            return
    except (OSError, RuntimeError, EOFError, ValueError, zipfile.BadZipFile, pickle.UnpicklingError):
        pass
    raise UserError(f"{path} is damaged or not a checkpoint")


def newest(folder: Path, say: Callable[[str], None]) -> Path | None:
    """The newest whole checkpoint in a run's folder of checkpoints; None where there are none.

    Args:
        folder: The folder.
        say: Told of each damaged one.

    Raises:
        UserError: if there are some, all damaged.
    """
    phases = sorted(folder.glob("phase_*.ckpt"), key=lambda path: int(path.name.split("_")[1]), reverse=True)
    found = [path for path in (folder / "last.ckpt", folder / "previous.ckpt", *phases) if path.exists()]
    for path in found:
        try:
            verify(path)
        except UserError as error:
            say(f"{error}: going back to the one before")
        else:
            return path
    if found:
        raise UserError(f"every checkpoint in {folder} is damaged: start a new run")
    return None


def _copy(source: Path, target: Path) -> None:
    _move(shutil.copyfile(source, target.with_suffix(".tmp")), target)


def _move(source: Path, target: Path) -> None:
    """Move a file into place once its contents are on the disk."""
    with open(source, "rb") as file:
        os.fsync(file.fileno())
    os.replace(source, target)
