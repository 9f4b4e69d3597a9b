"""A training run, as `solve` and the command line both make it: tried out, assembled, trained and ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from threadpoolctl import threadpool_limits

from pinnlab.collocation.datamodule import Collocation
from pinnlab.ranks import lost_ranks
from pinnlab.reporting.folder import RunFolder
from pinnlab.reporting.record.record import RunRecord
from pinnlab.reporting.record.rehearsal import rehearse
from pinnlab.training.callbacks.checkpoint import Checkpoint
from pinnlab.training.callbacks.interruption import Interruption
from pinnlab.training.callbacks.progress import Progress
from pinnlab.training.failures import ENDING, over
from pinnlab.training.pinn import PINN
from pinnlab.training.setup.settings import bind, check
from pinnlab.training.setup.trainer_options import listed, make_trainer, one_line, settled


@dataclass(frozen=True)
class Kept:
    """Where a run leaves its record, and how often its checkpoints.

    Attributes:
        folder: Its folder, which exists.
        seed: The seed, for the summary.
        checkpoint_seconds: Seconds between two checkpoints.
        checkpoint_steps: Training steps between two checkpoints, as well.
    """

    folder: RunFolder
    seed: int | None
    checkpoint_seconds: float | None = 60.0
    checkpoint_steps: int | None = None


class Run:
    """A run from its model and points to its end.

    The constructor tries out everything that can fail: the residuals at their points, the evaluation and the record,
    the options of the trainer, and the trainer. So it fails before the training, and before anything is written.

    Attributes:
        model: The module that is trained.
        data: Its points.
        interruption: Knows whether the run was asked to stop.
        dry: A trainer with the same options that trains nothing.
    """

    def __init__(self, model: PINN, data: Collocation, options: Mapping[str, Any]) -> None:
        """Tries everything out.

        Args:
            model: The module, with the weights in the precision of training.
            data: Its points.
            options: Options of Lightning's trainer, the user's callbacks included.

        Raises:
            UserError: if something cannot work.
        """
        self.model, self.data = model, data
        self.interruption = Interruption()
        self._record: RunRecord | None = None
        self._own = listed(options.get("callbacks"))
        bind(model, data)
        check(model, data)
        rehearse(model, data, self._own)
        self._options = settled(options, data.steps)
        self.dry = make_trainer(self._options, self._own)

    def trainer(self, *further: Callback, progress: bool, kept: Kept | None = None, logger: Any = None) -> Trainer:
        """The trainer of the run.

        Args:
            *further: Callbacks beside the user's own.
            progress: Show the progress.
            kept: What to leave behind; nothing by default.
            logger: A logger in place of that of the options.
        """
        callbacks: list[Callback] = [*self._own, *further]
        if progress:
            callbacks.append(Progress())
        # in this order: a checkpoint counts the rows that are written, and is due when a signal came
        if kept is not None:
            self._record = RunRecord(kept.folder, kept.seed, self.interruption)
            callbacks.append(self._record)
        callbacks.append(self.interruption)
        if kept is not None:
            callbacks.append(Checkpoint(kept.folder.checkpoints, kept.checkpoint_seconds, kept.checkpoint_steps))
        options = self._options if logger is None else {**self._options, "logger": logger}
        return make_trainer(options, callbacks)

    def train(self, trainer: Trainer, tell: Callable[[], None] | None = None, **arguments: Any) -> None:
        """Trains to the end; what fails after the training is kept in `model.failures`, and takes nothing with it.

        The figures come last, for a person waits for the result and not for them.

        Args:
            trainer: From `trainer`.
            tell: Called when the training is over, however it ended, and the figures are not drawn yet.
            **arguments: Of Lightning's `fit`, such as `ckpt_path`.

        Raises:
            KeyboardInterrupt: after a Ctrl-C that came outside of a step, or twice.
        """
        try:
            self._fit(trainer, arguments)
        finally:
            if tell is not None:
                tell()
            if self._record is not None:
                self._record.finish(trainer, self.model)

    def _fit(self, trainer: Trainer, arguments: Mapping[str, Any]) -> None:
        try:
            # scipy's linear algebra has threads of its own, which take the cores of others
            with lost_ranks(), one_line(), threadpool_limits(torch.get_num_threads(), "blas"):
                trainer.fit(self.model, self.data, **arguments)
        except SystemExit:
            # how Lightning ends then
            raise KeyboardInterrupt from None
        except Exception as error:
            if not over(trainer):
                raise
            self.model.failures.add(ENDING, error)
