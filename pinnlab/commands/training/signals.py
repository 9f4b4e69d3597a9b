"""Signals that end a command which keeps its own record: Ctrl-C, SIGTERM, and SIGUSR1 of a queue."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from pinnlab.training.callbacks.interruption import Interruption


@dataclass
class Received:
    """The signal that came.

    Attributes:
        number: Its number; None if none came.
    """

    number: int | None = None

    @property
    def status(self) -> int:
        """The exit status of a command that it ended: 128 plus its number."""
        return 128 + (self.number or signal.SIGINT)

    @property
    def name(self) -> str:
        """Its name."""
        return signal.Signals(self.number or signal.SIGINT).name


@contextmanager
def interrupting() -> Iterator[Received]:
    """Within the block these signals raise KeyboardInterrupt; those that the process ignores stay ignored."""
    received = Received()

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.number = number
        raise KeyboardInterrupt

    # other threads than the main one cannot take signals
    numbers = Interruption.signals if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.getsignal(number) for number in numbers}
    taken = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    for number in taken:
        signal.signal(number, interrupt)
    try:
        yield received
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)
