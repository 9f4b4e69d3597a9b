"""The run folder: one directory for everything a fit leaves behind."""

from __future__ import annotations

import csv
import fcntl
import json
import math
import os
import pickle
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import yaml

from pinnlab.errors import UserError
from pinnlab.reporting.files import write_atomically

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    def begun(self) -> Path:
        """What a solve to a tolerance was begun with, as a configuration that repeats it; JSON is YAML."""
        return self.path / "solve.json"

    @property
    def decisions(self) -> Path:
        """The journal of a solve to a tolerance."""
        return self.path / "decisions.jsonl"

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
    def tracking(self) -> Path:
        """The id of the run in Weights & Biases."""
        return self.path / "wandb_id.txt"

    @property
    def source(self) -> Path:
        """The folder of the user's modules as they were."""
        return self.path / "source"

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
        try:
            (path / "checkpoints").mkdir(exist_ok=True)
            # asks the file system itself: permissions say nothing of one that is mounted read-only
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise UserError(f"cannot write the run folder {path}: {error.strerror}") from None
        return cls(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes from writing here, until the block or this process ends, however it does.

        Raises:
            UserError: if another process is at it.
        """
        descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"another process is writing the run folder {self.path}: wait for it, or choose another run.name"
                ) from None
            yield
        finally:
            os.close(descriptor)

    def read_rows(self) -> dict[str, np.ndarray]:
        """The columns of the record: arrays of floats with NaN where a cell is empty, and strings for `phase`.

        A last line that a crash cut off is dropped. There are no columns where there is no record.

        Raises:
            UserError: if the file holds something else.
        """
        if not self.metrics.exists():
            return {}
        with self.metrics.open(newline="") as file:
            try:
                rows = csv.reader(line for line in file if line.endswith("\n"))
                names = next(rows, [])
                columns = zip(*(row for row in rows if len(row) == len(names)), strict=True)
                found = {
                    name: np.array(column if name == "phase" else [float(cell) if cell else np.nan for cell in column])
                    for name, column in zip(names, columns, strict=False)
                }
            except (ValueError, csv.Error):
                raise self._damaged(self.metrics) from None
        if found and not {"step", "phase", "seconds", "loss"} <= found.keys():
            raise self._damaged(self.metrics)
        return found

    def read_summary(self) -> dict[str, Any]:
        """How the run ended; empty where no summary was written.

        Raises:
            UserError: if the file holds something else.
        """
        found = self._read(self.summary, json.loads)
        if not _is_summary(found):
            raise self._damaged(self.summary)
        return found

    def read_config(self) -> dict[str, Any]:
        """The resolved configuration; empty where none was written.

        Raises:
            UserError: if the file holds something else.
        """
        return self._read(self.config, lambda text: yaml.load(text, _Loader) or {})

    def read_begun(self) -> dict[str, Any]:
        """What a solve to a tolerance was begun with; empty for another run.

        Raises:
            UserError: if the file holds something else.
        """
        return self._read(self.begun, json.loads)

    def read_decisions(self) -> list[dict[str, Any]]:
        """The lines of the journal; a last line that a crash cut off is dropped.

        Raises:
            UserError: if the file holds something else.
        """

        def lines(text: str) -> dict[str, Any]:
            return {"lines": [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]}

        found: list[dict[str, Any]] = self._read(self.decisions, lines).get("lines", [])
        if not all(isinstance(line, dict) for line in found):
            raise self._damaged(self.decisions)
        return found

    def read_arrays(self, path: Path) -> dict[str, np.ndarray]:
        """The arrays of `solution` or `points`; no arrays if the file is missing.

        Raises:
            UserError: if the file holds something else.
        """
        if not path.exists():
            return {}
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                return dict(arrays)
        except (ValueError, OSError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, pickle.UnpicklingError):
            raise self._damaged(path) from None

    def _read(self, file: Path, parse: Callable[[str], Any]) -> dict[str, Any]:
        """What a file holds; nothing where there is none.

        Raises:
            UserError: if that is no mapping.
        """
        if not file.exists():
            return {}
        try:
            found = parse(file.read_text())
        except (ValueError, yaml.YAMLError):
            raise self._damaged(file) from None
        if not isinstance(found, dict):
            raise self._damaged(file)
        return found

    def _damaged(self, file: Path) -> UserError:
        return UserError(f"{file} is damaged, or was written by something else: move it away or leave the run out")

    @property
    def finished(self) -> bool:
        """Whether a run came to its end here and wrote its numbers."""
        return bool(self.read_summary().get("status") == "finished")

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write the summary as strict JSON (numbers that are not finite become null), whole or not at all."""
        write_atomically(self.summary, json.dumps(_plain(summary), indent=2, allow_nan=False) + "\n")


def _is_summary(found: Mapping[str, Any]) -> bool:
    """Whether a mapping has the structure that `write_summary` writes, in the parts that are read."""
    unknowns, metrics, phases = found.get("unknowns", {}), found.get("metrics", {}), found.get("phases", [])
    return (
        isinstance(unknowns, dict)
        and all(isinstance(entry, dict) and {"value", "truth", "error"} <= entry.keys() for entry in unknowns.values())
        and isinstance(metrics, dict)
        and all(value is None or isinstance(value, int | float) for value in metrics.values())
        and isinstance(phases, list)
        and all(isinstance(phase, dict) and isinstance(phase.get("steps"), int) for phase in phases)
    )


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
