"""The records of runs, read back without torch: settings, final metrics and curves, also of killed runs."""

from __future__ import annotations

import glob
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pinnlab.errors import UserError
from pinnlab.reporting.folder import RunFolder
from pinnlab.reporting.record.rows import unknowns_of

Curves = Mapping[str, np.ndarray]
"""Columns of a run's record: step, seconds, loss, its shares, unknowns; each `(rows,)`."""

SEEDS = ("seed_everything", "data.seed")
"""Settings that repeat an experiment rather than change it."""

ERROR = "solve/error"
"""The column of a solve to a tolerance with its estimated error, relative to the size of each output."""

_NO_SETTINGS = ("run", "wandb", "ckpt_path", "weights_only", "trainer.default_root_dir")


@dataclass(frozen=True)
class Run:
    """A run, wherever its record was read from.

    Attributes:
        name: What it is called.
        settings: The resolved configuration, flat: `engine` ↦ NTP, `phases.0.lr` ↦ 0.001.
        status: finished, interrupted, diverged, failed; `unfinished` where no summary was written.
        metrics: The final numbers by name; of an unfinished run the last ones that it recorded.
        truths: The true values of unknowns, where they are known.
        curves: The columns of its record.
        folder: The run folder, None for a run that was read from W&B.
    """

    name: str
    settings: Mapping[str, Any]
    status: str
    metrics: Mapping[str, float]
    truths: Mapping[str, float]
    curves: Curves = field(repr=False)
    folder: RunFolder | None = None

    @property
    def seed(self) -> str:
        """The seed, as written in tables."""
        return "/".join(str(self.settings[key]) for key in SEEDS if self.settings.get(key) is not None)

    def curve(self, metric: str, truths: Mapping[str, float] | None = None) -> np.ndarray | None:
        """A metric along the record: a column, or |value − truth| for `error_NAME`; None if it was not recorded."""
        if metric in self.curves:
            return self.curves[metric]
        name = metric.removeprefix("error_")
        truth = {**(truths or {}), **self.truths}.get(name)
        if name == metric or name not in self.curves or truth is None:
            return None
        return np.abs(self.curves[name] - truth)


def find(patterns: Sequence[str]) -> list[Path]:
    """The run folders that paths and globs name; a folder of run folders stands for the run folders within it.

    Raises:
        UserError: if a pattern matches no run folder.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        matches = [path for match in sorted(glob.glob(pattern, recursive=True)) for path in _within(Path(match))]
        if not matches:
            raise UserError(
                f"{pattern}: no run folder there (one holds config.yaml, metrics.csv, summary.json or solve.json)"
            )
        found |= dict.fromkeys(matches)
    return list(found)


def read(path: Path) -> Run:
    """A run folder.

    Raises:
        UserError: if a file of its record is damaged.
    """
    folder = RunFolder(path)
    # what a solve to a tolerance has found is no setting
    begun = folder.read_begun()
    config = begun or folder.read_config()
    summary, rows = folder.read_summary(), folder.read_rows() or _proposals(folder.read_decisions())
    curves = {name: column for name, column in rows.items() if name != "phase"}
    unknowns = summary.get("unknowns", {})
    truths = {name: entry["truth"] for name, entry in unknowns.items() if entry["truth"] is not None}
    metrics = {name: value for name, value in summary.get("metrics", {}).items() if value is not None}
    metrics |= {name: entry["value"] for name, entry in unknowns.items() if entry["value"] is not None}
    if summary:
        steps = sum(phase["steps"] for phase in summary.get("phases", []))
        metrics |= {"steps": steps, "seconds": summary.get("seconds", math.nan)}
        if (ending := summary.get("tolerance")) is not None:
            # JSON has no infinite numbers
            error = math.inf if ending["error"] is None else ending["error"]
            metrics[ERROR] = error
    elif curves:
        metrics = last_values(curves)
    if begun and curves:
        # its proposals, which are numbered from 0
        metrics["steps"] = len(curves["step"])
    return Run(path.name, flatten(config), summary.get("status", "unfinished"), metrics, truths, curves, folder)


def last_values(curves: Curves) -> dict[str, float]:
    """The last finite number of every column, with `steps` for the last step."""
    last = {}
    for name, column in curves.items():
        finite = column[np.isfinite(column)]
        if len(finite):
            last["steps" if name == "step" else name] = float(finite[-1])
    kept = ("steps", "seconds", "loss", ERROR, *unknowns_of(curves))
    return {name: value for name, value in last.items() if name in kept}


def _proposals(decisions: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """The columns that a solve to a tolerance would have recorded at its end, from its journal."""
    seconds = np.cumsum([float(line.get("seconds", 0.0)) for line in decisions])
    tried = [
        (at, line["answer"])
        for at, line in zip(seconds, decisions, strict=True)
        if isinstance(line.get("answer"), dict)
    ]
    if not tried:
        return {}
    columns = {
        "step": [*range(len(tried))],
        "seconds": [at for at, _ in tried],
        "loss": [answer.get("held_out", math.nan) for _, answer in tried],
        ERROR: [answer.get("error", math.nan) for _, answer in tried],
    }
    return {name: np.array(column, dtype=float) for name, column in columns.items()}


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """A nested configuration by dotted keys, classes by their names, `model.` and `init_args.` left out.

    Where records are kept and what W&B calls them are no settings of an experiment, and are left out too.
    """
    return dict(_flat(config, ""))


def _flat(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if key in _NO_SETTINGS:
        return
    if isinstance(value, Mapping):
        items: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        items = enumerate(value)
    else:
        yield key, value
        return
    for name, item in items:
        if name == "class_path" and isinstance(item, str):
            yield key, item.rpartition(".")[2]
        elif name == "init_args" or (name == "model" and not key):
            yield from _flat(item, key)
        else:
            yield from _flat(item, f"{key}.{name}" if key else str(name))


def _within(path: Path) -> list[Path]:
    if _is_run(path):
        return [path]
    if not path.is_dir():
        return []
    return [found for entry in sorted(os.scandir(path), key=_natural) for found in _within(Path(entry.path))]


def _is_run(path: Path) -> bool:
    folder = RunFolder(path)
    return any(file.is_file() for file in (folder.config, folder.summary, folder.metrics, folder.begun))


def _natural(entry: os.DirEntry[str]) -> list[Any]:
    """A sort key that puts run-2 before run-10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", entry.name)]
