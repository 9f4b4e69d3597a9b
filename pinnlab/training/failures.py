"""Failures after the training: they are told and recorded, and the trained solution is kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch import Trainer

ENDING = "the end of the run"
"""Where an error is from that nothing else caught: a callback, say."""


class Failures:
    """The failures after the training of one run.

    Attributes:
        lines: One line for each, in order.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def kept(self, what: str) -> Iterator[None]:
        """Keeps an error within the block.

        Args:
            what: What the block does, for the line.
        """
        try:
            yield
        except Exception as error:
            self.add(what, error)

    def add(self, what: str, error: Exception) -> None:
        """Keep an error, and say so if it is new."""
        line = f"{what} failed after the training: {reason(error)}"
        if line not in self.lines:
            self.lines.append(line)
            logging.getLogger("pinnlab").warning("pinnlab: %s; the solution is kept", line)


def reason(error: Exception) -> str:
    """An error in one line, with its kind unless the message speaks for itself."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}".rstrip(": ")


def over(trainer: Trainer) -> bool:
    """Whether all training steps are done, so that an error is one of what comes after them."""
    batches = trainer.fit_loop.epoch_loop.batch_progress
    whole = batches.current.ready == batches.current.completed
    return bool(whole and (trainer.should_stop or batches.is_last_batch))
