"""Stopping by signal: Ctrl-C, SIGTERM and SIGUSR1 end the run after the current step, not in the middle of it."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from pinnlab.ranks import Ranks


def at_a_prompt(where: str) -> bool:
    """Whether a Ctrl-C was typed at a prompt, where the person has what was found; a line says so then.

    Args:
        where: Where the training or the solve stood.
    """
    if not hasattr(sys, "ps1"):
        return False
    logging.getLogger("pinnlab").warning(
        "pinnlab: interrupted after %s: this is what was found; press Ctrl-C twice to end a loop as well", where
    )
    return True


def interrupt(where: str, solution: Any) -> KeyboardInterrupt:
    """What is raised after a Ctrl-C elsewhere, so that a loop ends, too; its attribute `solution` is what was found.

    It is of this very class: a process that ends by it is known to the shell as interrupted.
    """
    stop = KeyboardInterrupt(f"after {where}; what was found is this exception's attribute solution")
    stop.solution = solution  # type: ignore[attr-defined]
    return stop


class Interruption(Callback):
    """Turns SIGINT, SIGTERM and SIGUSR1 into a request to stop at the end of the training step.

    A step may be in the middle of a line search, with the parameters at a trial point. Only between steps is there a
    state worth a checkpoint and a record. A second signal interrupts at once. SIGUSR1 is what a queue sends when a time
    limit is near.

    Attributes:
        signal: The signal that asked for the stop, here or on another rank, or None.
    """

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Remember who had the signals that are not ignored, before Lightning takes some."""
        if threading.current_thread() is threading.main_thread():
            handlers = {number: signal.getsignal(number) for number in self.signals}
            self._before = {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take over the signals (which only the main thread may do)."""
        for number in self._before:
            signal.signal(number, self._request)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Stop on all ranks if one was asked to."""
        number = Ranks(trainer.lightning_module.device).largest(self.signal or 0)
        if number:
            self.signal = number
            trainer.should_stop = True

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Give the signals back, now that the record is written."""
        self._restore()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Remember that Ctrl-C was pressed outside of a step."""
        if isinstance(exception, KeyboardInterrupt) and self.signal is None:
            self.signal = signal.SIGINT
        self._restore()

    def hand_on(self, where: str, solution: Any) -> None:
        """Gives the signal that stopped the training to whoever had it before: a loop of solves must end, too.

        A Ctrl-C at a prompt is for the training alone: who presses it there wants what was found.

        Args:
            where: Where the training stood.
            solution: What it had found.

        Raises:
            KeyboardInterrupt: for a Ctrl-C that nobody else handles; its attribute `solution` is what was found.
        """
        if self.signal is None or (self.signal == signal.SIGINT and at_a_prompt(where)):
            return
        try:
            signal.raise_signal(self.signal)
        except KeyboardInterrupt:
            raise interrupt(where, solution) from None

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
