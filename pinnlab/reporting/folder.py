"""The run folder: one directory for everything a fit leaves behind."""

from __future__ import annotations

import csv
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from pinnlab.errors import UserError

Row = Mapping[str, float | int | str]


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of a run's record are.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / "config.yaml"

    @property
    def metrics(self) -> Path:
        """The rows of the run."""
        return self.path / "metrics.csv"

    @property
    def summary(self) -> Path:
        """How the run ended."""
        return self.path / "summary.json"

    @property
    def solution(self) -> Path:
        """The solution on held-out points."""
        return self.path / "solution.npz"

    @property
    def points(self) -> Path:
        """The collocation points that training ended with."""
        return self.path / "points.npz"

    @property
    def figure(self) -> Path:
        """The picture of the run."""
        return self.path / "profile.png"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @classmethod
    def create(cls, root: Path, name: str | None, default: str) -> Self:
        """A new folder under `root`.

        Args:
            root: Created if it is missing.
            name: The folder's name; None for `default` and the time, with a number added if that is taken.
            default: Beginning of the name where none is given.

        Raises:
            UserError: if the folder exists or cannot be written.
        """
        try:
            if name is not None:
                path = root / name
                path.mkdir(parents=True)
            else:
                path = _fresh(root, f"{default}-{time.strftime('%Y%m%d-%H%M%S')}")
            (path / "checkpoints").mkdir()
        except FileExistsError:
            raise UserError(
                f"the run folder {root / (name or default)} exists: choose another run.name, "
                "or continue that run with --ckpt_path last"
            ) from None
        except OSError as error:
            raise UserError(f"cannot write a run folder in {root}: {error.strerror}; set run.root") from None
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """A folder that a run left, to continue it.

        Raises:
            UserError: if it cannot be written.
        """
        if not os.access(path, os.W_OK):
            raise UserError(f"cannot write the run folder {path}")
        (path / "checkpoints").mkdir(exist_ok=True)
        return cls(path)

    def read_rows(self) -> dict[str, np.ndarray]:
        """The columns of the record: arrays of floats with NaN where a cell is empty, and strings for `phase`.

        A last line that a crash cut off is dropped.
        """
        with self.metrics.open(newline="") as file:
            rows = csv.reader(line for line in file if line.endswith("\n"))
            names = next(rows, [])
            columns = zip(*(row for row in rows if len(row) == len(names)), strict=True)
            return {
                name: np.array(column if name == "phase" else [float(cell) if cell else np.nan for cell in column])
                for name, column in zip(names, columns, strict=False)
            }

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write the summary as strict JSON (numbers that are not finite become null), whole or not at all."""
        write_atomically(self.summary, json.dumps(_plain(summary), indent=2, allow_nan=False) + "\n")


class RowWriter:
    """Writes rows to a CSV file as they come, so that a killed run leaves what it had.

    Args:
        path: The file. Rows that it holds from before `first_step` are kept, later ones are dropped, so that a
            resumed run leaves neither gaps nor repeats.
        columns: The names of the columns; a row may lack some.
        first_step: The step at which this run begins.
    """

    def __init__(self, path: Path, columns: Sequence[str], first_step: int = 0) -> None:
        kept: list[dict[str, str]] = []
        if first_step and path.exists():
            with path.open(newline="") as file:
                # a phase's last row has the number of the step that follows it
                kept = [row for row in csv.DictReader(file) if int(row["step"]) <= first_step]
        self._file = path.open("w", newline="")
        self._writer = csv.DictWriter(self._file, columns, restval="", extrasaction="ignore")
        self._writer.writeheader()
        self._writer.writerows(kept)
        self._file.flush()

    def write(self, row: Row) -> None:
        """Append a row."""
        self._writer.writerow(row)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader, or a crash, sees the old one or the new one."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text)
    os.replace(temporary, path)


def _fresh(root: Path, name: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path, number = root / name, 1
    while True:
        try:
            path.mkdir()
            return path
        except FileExistsError:
            number += 1
            path = root / f"{name}-{number}"


def _plain(value: Any) -> Any:
    """Numbers, strings, lists and dictionaries that JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
