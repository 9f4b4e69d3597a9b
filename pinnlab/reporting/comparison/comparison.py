"""The comparison of runs: their differing settings, medians over seeds, and speed-ups at equal error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from pinnlab.errors import UserError
from pinnlab.reporting.comparison.runs import ERROR, SEEDS, Run
from pinnlab.reporting.comparison.speedups import Speedup, speedups, table_of
from pinnlab.reporting.comparison.tables import Cell, Table

MISSING = "-"
"""Stands for a setting that a run does not have."""

ESTIMATE = "± estimated"
"""The column of the errors that runs estimate themselves."""

_PREFERRED = ("max_error", "relative_l2")

_TOL = "tol"
"""The setting that a solve to a tolerance has, and a training has not."""

_ERRORS = ("error_", *_PREFERRED)


class Comparison:
    """Several runs side by side.

    Attributes:
        runs: The runs, best first by `metric`; those without it last.
        metric: What they are sorted by.
        errors: The metrics that are errors, of whatever runs.
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
        self.errors = (*_PREFERRED, *errors, ERROR)
        self.runs = list(runs)
        finals = {id(run): self.final(run, metric) for run in runs}
        self.runs.sort(key=lambda run: np.inf if (final := finals[id(run)]) is None else final)
        drawn = [metric, *self.errors]
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
        """One line per run: differing settings, seed, how it ended, the metric with its ±, further final metrics."""
        first, *others = self.shown
        estimated = any(self.estimate(run) is not None for run in self.runs)
        columns = ["run", *self.differing, "seed", "status", "steps", "seconds", first]
        columns += [*([ESTIMATE] if estimated else []), *others]
        rows: list[list[Cell]] = []
        for run in self.runs:
            head = [self.final(run, name) for name in ("steps", "seconds", first)]
            head += [self.estimate(run)] if estimated else []
            rest = [self.final(run, name) for name in others]
            rows.append([run.name, *self.values(run), run.seed, run.status, *head, *rest])
        return Table(f"{len(rows)} runs, best {self.metric} first", columns, rows)

    def group_table(self) -> Table:
        """One line per group: median, least and greatest metric and seconds over its runs, and medians of the rest."""
        spread, others = (self.metric, "seconds"), [name for name in self.shown[1:] if name != "seconds"]
        columns = [*self.differing, "runs"]
        columns += [f"{name} {kind}" for name in dict.fromkeys(spread) for kind in ("median", "min", "max")]
        columns += [f"{name} median" for name in others]
        rows: list[list[Cell]] = []
        for values, runs in self.groups.items():
            line: list[Cell] = [*values, len(runs)]
            for name in dict.fromkeys(spread):
                finals = self._finals(runs, name)
                line += [_median(finals), min(finals), max(finals)] if finals else [None, None, None]
            line += [_median(finals) if (finals := self._finals(runs, name)) else None for name in others]
            rows.append(line)
        return Table("median and spread over seeds", columns, rows)

    @cached_property
    def speedups(self) -> list[Speedup]:
        """Every two engines that have runs alike in all else, the seed included."""
        return speedups(self)

    def tables(self) -> list[Table]:
        """All tables that have rows."""
        tables = [self.table()]
        if len(self.groups) < len(self.runs):
            tables.append(self.group_table())
        if self.speedups:
            tables.append(table_of(self.speedups))
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

    def estimate(self, run: Run) -> float | None:
        """The ± of a run: the error by `metric` that it estimates itself; None where it tells none.

        For the largest error of all outputs it is the largest of theirs, for that of an unknown its own.
        """
        prefix, name = "uncertainty_", self.metric.removeprefix("error_")
        if name != self.metric:
            return run.metrics.get(f"{prefix}{name}")
        # unknowns are among the metrics themselves
        every = {key.removeprefix(prefix): value for key, value in run.metrics.items() if key.startswith(prefix)}
        outputs = [value for name, value in every.items() if name not in run.metrics]
        return max(outputs, default=None) if self.metric == "max_error" else None

    def engine(self, run: Run) -> str:
        """The engine and its options, as far as they vary between the runs."""
        part = _part(run, "engine")
        options = [
            f"{key.rpartition('.')[2]} {_text(part[key])}" for key in part if "." in key and key in self.differing
        ]
        return " ".join([_text(part.get("engine", MISSING)), *(f"({option})" for option in options)])

    def beside_engine(self, run: Run) -> tuple[str, ...]:
        """The seed and the differing settings but for the engine."""
        others = [key for key in self.differing if not _belongs(key, "engine")]
        return (run.seed, *(_text(run.settings.get(key, MISSING)) for key in others))


def _part(run: Run, name: str) -> Mapping[str, Any]:
    return {key: value for key, value in run.settings.items() if _belongs(key, name)}


def _belongs(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}.")


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else float("inf")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return "null" if value is None else str(value)
