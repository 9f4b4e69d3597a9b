"""Checkpoints: every so often, at the end of each phase, and when the run ends or is interrupted."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from pinnlab.training.pinn import StepReport


class Checkpoint(Callback):
    """Writes `last.ckpt` between steps, and keeps a copy of it at the end of each phase.

    A checkpoint is written beside the one before and moved over it, so that a killed run leaves a whole one.
    It holds the parameters (unknowns among them), every optimiser's state and the schedule, all of it loadable
    with `torch.load(weights_only=True)`. Nothing is written when a run diverges or fails: the last good one stays.

    Args:
        folder: Where the checkpoints go.
        every_seconds: Seconds between two of them; None for phase ends and the run's end only.
        every_steps: Training steps between two of them; None for no such rule.
    """

    def __init__(self, folder: Path, every_seconds: float | None = 60.0, every_steps: int | None = None) -> None:
        self.folder = folder
        self.every_seconds = every_seconds
        self.every_steps = every_steps
        self._written = time.monotonic()

    @property
    def last(self) -> Path:
        """The newest checkpoint."""
        return self.folder / "last.ckpt"

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting the seconds."""
        self._written = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write one if it is due."""
        report: StepReport = outputs["report"]
        ended = report.ended
        if ended is not None:
            self._write(trainer)
            if trainer.is_global_zero:
                _replace_by_copy(self.last, self.folder / f"phase_{ended.number}_{ended.name}.ckpt")
        elif self._due(trainer, report.step + 1):
            self._write(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the last one, of an interrupted run too."""
        self._write(trainer)

    def _due(self, trainer: Trainer, step: int) -> bool:
        if self.every_steps is not None and step % self.every_steps == 0:
            return True
        if self.every_seconds is None:
            return False
        due = time.monotonic() - self._written >= self.every_seconds
        # the clocks of two ranks differ, and writing is a joint act
        return trainer.strategy.broadcast(due) if trainer.world_size > 1 else due

    def _write(self, trainer: Trainer) -> None:
        temporary = self.folder / "last.ckpt.tmp"
        trainer.save_checkpoint(temporary, weights_only=False)
        if trainer.is_global_zero:
            os.replace(temporary, self.last)
        self._written = time.monotonic()


def _replace_by_copy(source: Path, target: Path) -> None:
    temporary = target.with_suffix(".tmp")
    shutil.copyfile(source, temporary)
    os.replace(temporary, target)
