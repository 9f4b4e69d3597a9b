"""What a person sees while a run goes on: one line on a terminal or in a notebook, plain lines in a log file."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from pinnlab.training.pinn import PINN
from pinnlab.training.steps import StepReport

REDRAWN = 0.2
"""Seconds between two states of a line in a notebook."""


class Terminal(Console):
    """A console whose reader may go away (`fit … | head`): nothing is shown from then on, and the run goes on."""

    overwrites = False
    """Whether a passing line is overwritten, so that it may come often."""

    def on_broken_pipe(self) -> None:
        """Be quiet, and leave nothing for the end of the process to write to the pipe."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def passing(self, text: str) -> None:
        """Shows a line that is of no use once there is another."""
        self.print(text)

    def end(self) -> None:
        """Lets a passing line stay, which it does here anyway."""


class Notebook(Terminal):
    """The output of a notebook's cell, where a passing line is overwritten by the line after it.

    It is no terminal, whatever it says of itself: there are no lines to move up to.
    """

    overwrites = True

    def __init__(self) -> None:
        super().__init__(highlight=False, force_jupyter=False, force_terminal=False)
        self._passing = ""

    def passing(self, text: str) -> None:
        """Shows a line that the next one overwrites."""
        print(f"\r{text.ljust(len(self._passing))}", end="", flush=True)
        self._passing = text

    def print(self, *objects: Any, **options: Any) -> None:
        """Shows a line that stays."""
        self.passing(" ".join(map(str, objects)))
        self.end()

    def end(self) -> None:
        """Lets a passing line stay, if there is one."""
        if self._passing:
            print(flush=True)
        self._passing = ""


def terminal() -> Terminal:
    """The standard output."""
    return Notebook() if in_notebook() else Terminal(highlight=False, soft_wrap=True)


def in_notebook() -> bool:
    """Whether what is printed appears in a notebook."""
    return Console().is_jupyter


def shown(progress: bool | None) -> bool:
    """Whether progress is shown: where nothing is said, to a person at a prompt, as in a notebook."""
    return hasattr(sys, "ps1") if progress is None else progress


class Progress(Callback):
    """Shows phase, step, loss, unknowns and the time left in the phase.

    On a terminal one line is redrawn; elsewhere a line is written every few seconds, and less often as a phase gets
    long. The end of a phase is a line of its own in both.

    Args:
        console: Where to write; standard output by default.
        every_seconds: Seconds between two plain lines; the live line is redrawn several times a second.
    """

    def __init__(self, console: Terminal | None = None, every_seconds: float = 5.0) -> None:
        self.console = console or terminal()
        self.every_seconds = min(every_seconds, REDRAWN) if self.console.overwrites else every_seconds
        self._live: Live | None = None
        self._shown = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the live line on a terminal."""
        if not trainer.is_global_zero:
            return
        self._shown = time.monotonic()
        assert isinstance(pl_module, PINN)
        for line in pl_module.built_in.lines() if pl_module.built_in is not None else []:
            self.console.print(line)
        if self.console.is_terminal:
            self._live = Live(console=self.console, auto_refresh=False, transient=True)
            self._live.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Say how a phase ended; otherwise show where the run stands, if that is due."""
        if not trainer.is_global_zero:
            return
        assert isinstance(pl_module, PINN)
        report: StepReport = outputs["report"]
        if report.ended is not None:
            record = report.ended
            self.console.print(
                f"phase {record.number} ({record.name}) ended after {record.steps} steps, {clock(record.seconds)}, "
                f"loss {record.loss:.3e}{_unknowns(pl_module)}: {record.reason}"
            )
            self._shown = time.monotonic()
        elif time.monotonic() - self._shown >= self._wait(pl_module):
            self._shown = time.monotonic()
            self._show(pl_module, report.loss)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the live line, and say where the run stopped if its phases are not over, or what comes after them."""
        self._close()
        assert isinstance(pl_module, PINN)
        if trainer.is_global_zero:
            schedule = pl_module.schedule
            if not schedule.done:
                self.console.print(f"stopped after {schedule.where}")
            elif not self.console.overwrites:
                self.console.print("estimating errors")

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Close the live line."""
        self._close()

    def _wait(self, module: PINN) -> float:
        """Seconds between two lines: a tenth of those of the phase, once these are many."""
        return 0.2 if self._live else max(self.every_seconds, 0.1 * module.schedule.seconds_in_phase)

    def _show(self, module: PINN, loss: float) -> None:
        schedule = module.schedule
        phase, step = schedule.phase, schedule.step_in_phase
        left = clock(schedule.seconds_in_phase / max(1, step) * (phase.steps - step))
        head = f"phase {schedule.index + 1}/{len(schedule.phases)} {phase.name}"
        tail = f"{step}/{phase.steps}  loss {loss:.3e}{_unknowns(module)}  {left} left"
        if self._live is None:
            self.console.passing(f"{head} {tail}")
            return
        grid = Table.grid(padding=(0, 1))
        for _ in range(3):
            grid.add_column(no_wrap=True)
        width = max(0, min(24, self.console.width - len(head) - len(tail) - 3))
        grid.add_row(head, ProgressBar(total=phase.steps, completed=step, width=width), tail)
        self._live.update(grid, refresh=True)

    def _close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        self.console.end()


def clock(seconds: float) -> str:
    """Seconds as a person reads them: 4.2 s, 3:07 or 1:02:45."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _unknowns(module: PINN) -> str:
    return "".join(f"  {name} {value:.8g}" for name, value in module.unknowns().items())
