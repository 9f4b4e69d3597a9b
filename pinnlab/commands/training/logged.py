"""A solve to a tolerance on Weights & Biases: its attempts as they come, and its end."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from pinnlab.commands.training.notes import note
from pinnlab.reporting.figures import draw_profile
from pinnlab.reporting.folder import RunFolder
from pinnlab.reporting.record.tracking import Tracker, Wandb, mode, share, start


class Logged:
    """Logs the rows of a solve, and what its folder holds at the end.

    The W&B run begins with the first row, when the folder is there. A solve that is continued goes on in the same run,
    whose rows it leaves out.
    """

    def __init__(self, settings: Wandb, folder: RunFolder) -> None:
        """Nothing is logged yet.

        Args:
            settings: How the run appears.
            folder: The folder of the solve.
        """
        self._settings, self._folder = settings, folder
        self._tracker: Tracker | None = None
        tried = sum(line["decision"] == "Proposal" for line in folder.read_decisions())
        # the last row was not yet logged: whether it was accepted was not known
        self._known = tried - 1 if folder.tracking.exists() else 0
        self._steps = 0

    def row(self, row: Mapping[str, Any]) -> None:
        """Logs a row of the record.

        Args:
            row: The row.
        """
        if self._tracker is None:
            self._tracker = start(self._settings, self._folder, self._folder.read_begun(), note)
        self._steps = row["step"] + 1
        if self._tracker is not None and row["step"] >= self._known:
            numbers = {name: value for name, value in row.items() if isinstance(value, float) and np.isfinite(value)}
            self._tracker.log_metrics(numbers, step=row["step"])

    def end(self) -> None:
        """Logs the end of a solve that has ended: final numbers, picture, tables and files."""
        summary = self._folder.read_summary()
        if self._tracker is None or not summary:
            return
        unknowns = summary["unknowns"]
        final = {name: value for name, value in summary["metrics"].items() if value is not None}
        final |= {f"final/{name}": entry["value"] for name, entry in unknowns.items()}
        final |= {f"truth/{name}": entry["truth"] for name, entry in unknowns.items() if entry["truth"] is not None}
        ending = summary["tolerance"]
        shown = {name: ending[name] for name in ("tol", "error", "reached") if ending[name] is not None}
        final |= {f"tolerance/{name}": float(value) for name, value in shown.items()}
        self._tracker.log_metrics(final, step=self._steps)
        draw_profile(self._folder)
        share(self._tracker, self._folder, self._folder.read_arrays(self._folder.solution))

    def close(self) -> None:
        """Ends the W&B run, within its timeout."""
        if self._tracker is not None:
            self._tracker.finish()


@contextmanager
def logged(settings: Wandb, asked: bool, folder: RunFolder) -> Iterator[Logged | None]:
    """Logs a solve within the block; None where W&B is not asked for, so that a short solve does not wait for it.

    Args:
        settings: How the run appears.
        asked: Whether an option asks for it; the variable WANDB_MODE does as well.
        folder: The folder of the solve, which may not be there yet.

    Raises:
        UserError: if WANDB_MODE is no mode.
    """
    if mode() == "disabled" or not (asked or os.environ.get("WANDB_MODE")):
        yield None
        return
    found = Logged(settings, folder)
    try:
        yield found
    finally:
        found.close()
