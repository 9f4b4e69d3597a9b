"""Stopping by signal: Ctrl-C and SIGTERM end the run after the current step, not in the middle of it."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class Interruption(Callback):
    """Turns SIGINT and SIGTERM into a request to stop at the end of the training step.

    A step may be in the middle of a line search, with the parameters at a trial point: only between steps is
    there a state worth a checkpoint and a record. A second signal interrupts at once.

    Attributes:
        signal: The signal that asked for the stop, or None.
    """

    signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.signal: int | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take over the signals (which only the main thread may do) that are not ignored."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in self.signals:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._request)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Stop on all ranks if one was asked to."""
        asked = self.signal is not None
        if trainer.world_size > 1:
            asked = trainer.strategy.reduce_boolean_decision(asked, all=False)
        if asked:
            trainer.should_stop = True

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Give the signals back."""
        self._restore()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Give the signals back, and remember that Ctrl-C was pressed outside of a step."""
        if isinstance(exception, KeyboardInterrupt) and self.signal is None:
            self.signal = signal.SIGINT
        self._restore()

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
