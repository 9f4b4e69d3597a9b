"""How much sooner one engine is than another: at equal error where errors are known, otherwise at equal loss."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pinnlab.reporting.comparison.runs import Run
from pinnlab.reporting.comparison.tables import Cell, Table

if TYPE_CHECKING:
    from pinnlab.reporting.comparison.comparison import Comparison

Ratio = Callable[[Run, Run], float | None]


@dataclass(frozen=True)
class Speedup:
    """How much sooner one engine reaches the error that both reach.

    Attributes:
        fast: The faster engine.
        slow: The slower engine.
        at: What is equal: the name of an error, or the loss where no error is known.
        at_error: For each pair of runs alike in all else, seconds of the slower over seconds of the faster until
            the larger of their two best errors is first reached.
        per_step: For each pair, the ratio of seconds per step.
        least: Whether the ratios are lower bounds: errors that are known at the end of runs alone tell that the faster
            run, which is at least as exact, has reached the error of the slower one by then, if not before.
    """

    fast: str
    slow: str
    at: str
    at_error: tuple[float, ...]
    per_step: tuple[float, ...]
    least: bool = False


def speedups(comparison: Comparison) -> list[Speedup]:
    """Every two engines that have runs alike in all else, the seed included.

    Args:
        comparison: The runs.
    """
    if comparison.curve_metric == "loss" and comparison.metric in comparison.errors:
        ends = _all(comparison, comparison.metric, lambda one, two: _of_ends(comparison, one, two), True)
        if ends:
            return ends
    return _all(comparison, comparison.curve_metric, lambda one, two: _of_curves(comparison, one, two), False)


def table_of(found: Sequence[Speedup]) -> Table:
    """One line per two engines: median, least and greatest speed-up over the pairs of runs.

    Args:
        found: The speed-ups, at least one.
    """
    at, least = found[0].at, found[0].least
    columns = ["faster", "slower", "pairs", f"at equal {at}", "min", "max", "per step"]
    rows: list[list[Cell]] = [
        [s.fast, s.slow, len(s.at_error), *(_times(f(s.at_error), least) for f in (_median, min, max)),
         _times(_median(s.per_step)) if s.per_step else None]
        for s in found
    ]  # fmt: skip
    note = ": at least, since errors are known at the end of runs alone" if least else ""
    return Table(f"speed-up at equal {at}{note}", columns, rows)


def _all(comparison: Comparison, at: str, ratio: Ratio, least: bool) -> list[Speedup]:
    by_engine: dict[str, dict[tuple[str, ...], Run]] = {}
    for run in comparison.runs:
        by_engine.setdefault(comparison.engine(run), {}).setdefault(comparison.beside_engine(run), run)
    found = []
    for a, b in itertools.combinations(sorted(by_engine), 2):
        pairs = [(by_engine[a][key], by_engine[b][key]) for key in by_engine[a] if key in by_engine[b]]
        at_error = [known for pair in pairs if (known := ratio(*pair)) is not None]
        per_step = [_per_step(two) / _per_step(one) for one, two in pairs if _per_step(one) and _per_step(two)]
        if not at_error or (least and not _one_sided(at_error)):
            continue
        if _median(at_error) < 1:
            a, b = b, a
            at_error, per_step = [1 / ratio for ratio in at_error], [1 / ratio for ratio in per_step]
        found.append(Speedup(a, b, at, tuple(at_error), tuple(per_step), least))
    return found


def _one_sided(ratios: Sequence[float]) -> bool:
    """Whether all bounds are of the same engine: a lower bound for one is none for the other."""
    return min(ratios) >= 1 or max(ratios) <= 1


def _of_curves(comparison: Comparison, one: Run, two: Run) -> float | None:
    """Seconds of the second over seconds of the first until the error that both reach; None without records."""
    curves = comparison.curve(one), comparison.curve(two)
    if any(curve is None or len(curve[2]) == 0 for curve in curves):
        return None
    level = max(curve[2].min() for curve in curves if curve is not None)
    first, second = (
        curve[1][int(np.argmax(curve[2] <= level))] for curve in curves if curve is not None
    )  # the first row at or below the level
    return float(second / first) if np.isfinite(second / first) and first > 0 else None


def _of_ends(comparison: Comparison, one: Run, two: Run) -> float | None:
    """Seconds of the second over seconds of the first; None where the one that takes longer is the more exact one."""
    ends = [(comparison.final(run, "seconds"), comparison.final(run, comparison.metric)) for run in (one, two)]
    (first, error), (second, other) = ends
    if first is None or second is None or error is None or other is None or min(first, second) <= 0:
        return None
    sooner_is_exact = error <= other if first <= second else other <= error
    return second / first if sooner_is_exact and np.isfinite([error, other]).all() else None


def _per_step(run: Run) -> float:
    steps = run.metrics.get("steps", 0.0)
    return run.metrics.get("seconds", 0.0) / steps if steps else 0.0


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def _times(ratio: float, least: bool = False) -> str:
    return f"{'≥ ' if least else ''}{ratio:.3g} ×"
