"""The comparison of runs: their differing settings, medians over seeds, and speed-ups at equal error."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pinnlab.errors import UserError
from pinnlab.reporting.comparison.runs import ERROR, SEEDS, Run
from pinnlab.reporting.comparison.tables import Cell, Table

MISSING = "-"
"""Stands for a setting that a run does not have."""

_PREFERRED = ("max_error", "relative_l2")

_TOL = "tol"
"""The setting that a solve to a tolerance has, and a training has not."""

_ERRORS = ("error_", *_PREFERRED)


@dataclass(frozen=True)
class Speedup:
    """How much sooner one engine reaches the error that both reach.

    Attributes:
        fast: The faster engine.
        slow: The slower engine.
        at_error: For each pair of runs alike in all else, seconds of the slower over seconds of the faster until
            the larger of their two best errors is first reached.
        per_step: For each pair, the ratio of seconds per step.
    """

    fast: str
    slow: str
    at_error: tuple[float, ...]
    per_step: tuple[float, ...]


class Comparison:
    """Several runs side by side.

    Attributes:
        runs: The runs, best first by `metric`; those without it last.
        metric: What they are sorted by.
        curve_metric: What is drawn against steps and seconds: the metric itself if it was recorded along the way,
            otherwise the error of an unknown, otherwise the loss.
    """

    def __init__(self, runs: Sequence[Run], metric: str | None = None) -> None:
        """Sorts the runs.

        Args:
            runs: At least one.
            metric: A final number, lower is better; by default the first of max_error, relative_l2, the error of
                an unknown, the estimated error of a solve to a tolerance and the loss that some run has.

        Raises:
            UserError: if there are no runs, or none has the metric.
        """
        if not runs:
            raise UserError("there are no runs to compare")
        names = list(dict.fromkeys(name for run in runs for name in run.metrics))
        curves = list(dict.fromkeys(name for run in runs for name in run.curves))
        errors = [f"error_{name}" for name in dict.fromkeys(name for run in runs for name in run.truths)]
        if metric is None:
            metric = next((name for name in (*_PREFERRED, *errors, ERROR, "loss") if name in names), "seconds")
        elif metric not in names:
            raise UserError(f"no run has the metric {metric!r}; there are {', '.join(names)}")
        self.metric = metric
        self.runs = list(runs)
        finals = {id(run): self.final(run, metric) for run in runs}
        self.runs.sort(key=lambda run: np.inf if (final := finals[id(run)]) is None else final)
        drawn = [metric, *_PREFERRED, *errors, ERROR]
        self.curve_metric = next((name for name in drawn if name in curves or name in errors), "loss")

    @cached_property
    def differing(self) -> list[str]:
        """The settings in which the runs differ, seeds apart.

        An option that only one of several classes has says nothing beside the class, unless it varies itself. Nor does
        one that all trainings have and no solve to a tolerance, or the other way round, beside the tolerance.
        """
        found: list[str] = []
        for key in dict.fromkeys(key for run in self.runs for key in run.settings if key not in SEEDS):
            present = {_text(run.settings[key]) for run in self.runs if key in run.settings}
            kinds = {_TOL in run.settings for run in self.runs if key in run.settings or key == _TOL}
            everywhere = all(key in run.settings for run in self.runs if (_TOL in run.settings) in kinds)
            told = any(_belongs(key, parent) for parent in found)
            if len(present) > 1 or not (everywhere or told):
                found.append(key)
        return found

    def values(self, run: Run) -> tuple[str, ...]:
        """A run's values of the differing settings."""
        return tuple(_text(run.settings.get(key, MISSING)) for key in self.differing)

    @cached_property
    def groups(self) -> dict[tuple[str, ...], list[Run]]:
        """The runs grouped by their settings without the seed, the best group first."""
        groups: dict[tuple[str, ...], list[Run]] = {}
        for run in self.runs:
            groups.setdefault(self.values(run), []).append(run)
        return dict(sorted(groups.items(), key=lambda item: _median(self._finals(item[1], self.metric))))

    def label(self, values: tuple[str, ...]) -> str:
        """A group in words; a value that names a class goes without its key."""
        parts = [
            value if value[:1].isupper() else f"{key.rpartition('.')[2]} {value}"
            for key, value in zip(self.differing, values, strict=True)
            if value != MISSING
        ]
        return ", ".join(parts) or "all runs"

    @cached_property
    def shown(self) -> list[str]:
        """The metrics that tables show, the one that sorts first."""
        every = dict.fromkeys(name for run in self.runs for name in run.metrics)
        kept = [name for name in every if name.startswith(_ERRORS) or name in (ERROR, "loss")]
        return list(dict.fromkeys([self.metric, *kept]))

    def truths(self, run: Run) -> dict[str, float]:
        """The true unknowns of a run's equation, told by other runs of it where the run itself left no summary."""
        return self._truths_by_equation.get(str(_part(run, "equation")), {})

    @cached_property
    def _truths_by_equation(self) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {}
        for run in self.runs:
            found.setdefault(str(_part(run, "equation")), {}).update(run.truths)
        return found

    def curve(self, run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Steps, seconds and `curve_metric` of a run, where it is finite; None if the run has no such record."""
        values = run.curve(self.curve_metric, self.truths(run))
        if values is None or "step" not in run.curves:
            return None
        kept = np.isfinite(values)
        seconds = run.curves.get("seconds", np.full(len(values), np.nan))
        return run.curves["step"][kept], seconds[kept], values[kept]

    def table(self) -> Table:
        """One line per run: differing settings, seed, how it ended, final metrics."""
        columns = ["run", *self.differing, "seed", "status", "steps", "seconds", *self.shown]
        rows: list[list[Cell]] = []
        for run in self.runs:
            numbers = [self.final(run, name) for name in ("steps", "seconds", *self.shown)]
            rows.append([run.name, *self.values(run), run.seed, run.status, *numbers])
        return Table(f"{len(rows)} runs, best {self.metric} first", columns, rows)

    def group_table(self) -> Table:
        """One line per group: median, least and greatest value over its runs."""
        columns = [*self.differing, "runs"]
        for name in (*self.shown, "seconds"):
            columns += [f"{name} median", f"{name} min", f"{name} max"]
        rows: list[list[Cell]] = []
        for values, runs in self.groups.items():
            line: list[Cell] = [*values, len(runs)]
            for name in (*self.shown, "seconds"):
                finals = self._finals(runs, name)
                line += [_median(finals), min(finals), max(finals)] if finals else [None, None, None]
            rows.append(line)
        return Table("median and spread over seeds", columns, rows)

    @cached_property
    def speedups(self) -> list[Speedup]:
        """Every two engines that have runs alike in all else, the seed included."""
        by_engine: dict[str, dict[tuple[str, ...], Run]] = {}
        others = [key for key in self.differing if not _belongs(key, "engine")]
        for run in self.runs:
            rest = (run.seed, *(_text(run.settings.get(key, MISSING)) for key in others))
            by_engine.setdefault(self._engine(run), {}).setdefault(rest, run)
        found = []
        for a, b in itertools.combinations(sorted(by_engine), 2):
            pairs = [(by_engine[a][key], by_engine[b][key]) for key in by_engine[a] if key in by_engine[b]]
            at_error = [ratio for pair in pairs if (ratio := self._ratio(*pair)) is not None]
            per_step = [_per_step(two) / _per_step(one) for one, two in pairs if _per_step(one) and _per_step(two)]
            if not at_error:
                continue
            if _median(at_error) < 1:
                a, b = b, a
                at_error, per_step = [1 / ratio for ratio in at_error], [1 / ratio for ratio in per_step]
            found.append(Speedup(a, b, tuple(at_error), tuple(per_step)))
        return found

    def speedup_table(self) -> Table:
        """One line per two engines: median, least and greatest speed-up over the pairs of runs."""
        columns = ["faster", "slower", "pairs", "at equal error", "min", "max", "per step"]
        rows: list[list[Cell]] = [
            [s.fast, s.slow, len(s.at_error), *(_times(f(s.at_error)) for f in (_median, min, max)),
             _times(_median(s.per_step)) if s.per_step else None]
            for s in self.speedups
        ]  # fmt: skip
        return Table(f"speed-up at equal {self.curve_metric}", columns, rows)

    def tables(self) -> list[Table]:
        """All tables that have rows."""
        tables = [self.table()]
        if len(self.groups) < len(self.runs):
            tables.append(self.group_table())
        if self.speedups:
            tables.append(self.speedup_table())
        return tables

    def final(self, run: Run, metric: str) -> float | None:
        """A metric at a run's end; where no summary tells it, the last one that its record gives."""
        if metric in run.metrics:
            return run.metrics[metric]
        values = run.curve(metric, self.truths(run))
        finite = values[np.isfinite(values)] if values is not None else []
        return float(finite[-1]) if len(finite) else None

    def _finals(self, runs: Sequence[Run], name: str) -> list[float]:
        return [final for run in runs if (final := self.final(run, name)) is not None]

    def _engine(self, run: Run) -> str:
        """The engine and its options, as far as they vary between the runs."""
        part = _part(run, "engine")
        options = [
            f"{key.rpartition('.')[2]} {_text(part[key])}" for key in part if "." in key and key in self.differing
        ]
        return " ".join([_text(part.get("engine", MISSING)), *(f"({option})" for option in options)])

    def _ratio(self, one: Run, two: Run) -> float | None:
        """Seconds of the second over seconds of the first until the error that both reach; None without records."""
        curves = self.curve(one), self.curve(two)
        if any(curve is None or len(curve[2]) == 0 for curve in curves):
            return None
        level = max(curve[2].min() for curve in curves if curve is not None)
        first, second = (
            curve[1][int(np.argmax(curve[2] <= level))] for curve in curves if curve is not None
        )  # the first row at or below the level
        return float(second / first) if np.isfinite(second / first) and first > 0 else None


def _part(run: Run, name: str) -> Mapping[str, Any]:
    return {key: value for key, value in run.settings.items() if _belongs(key, name)}


def _belongs(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}.")


def _per_step(run: Run) -> float:
    steps = run.metrics.get("steps", 0.0)
    return run.metrics.get("seconds", 0.0) / steps if steps else 0.0


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else float("inf")


def _times(ratio: float) -> str:
    return f"{ratio:.3g} ×"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return "null" if value is None else str(value)
