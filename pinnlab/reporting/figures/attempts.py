"""What a solve to a tolerance tried: its estimated errors against the tolerance, over seconds and over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pinnlab.reporting.figures.style import EXACT, FOUND, OTHERS, legend, positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import FillStyleType

    from pinnlab.reporting.figures.panels import Panel, Record


def tried(record: Record) -> bool:
    """Whether the record is that of a solve to a tolerance, which has a row for each attempt and none for steps."""
    return "solve/error" in record.rows


def attempts(record: Record) -> list[Panel]:
    """The estimated error and the features of each attempt over seconds, and its window in time.

    Attempts that were accepted are filled, the others are hollow. The dashed line is the tolerance.
    """
    rows = record.rows
    seconds = rows["seconds"]
    accepted = rows["solve/accepted"] > 0 if "solve/accepted" in rows else np.ones(len(seconds), dtype=bool)
    tol = (record.summary.get("tolerance") or {}).get("tol")

    def errors(axis: Axes) -> None:
        _marks(axis, seconds, positive(rows["solve/error"]), accepted)
        _limit(axis, tol)
        axis.set(yscale="log", xlabel="seconds", title="estimated error")

    def features(axis: Axes) -> None:
        _marks(axis, seconds, rows["solve/features"], accepted)
        axis.set(xlabel="seconds", title="features", ylim=(0, None))

    return [errors, features, *_windows(record, accepted, tol)]


def _windows(record: Record, accepted: np.ndarray, tol: float | None) -> list[Panel]:
    """Each attempt as a line from where its window begins to where it ends; none without time."""
    begin, end = (record.rows.get(f"solve/{name}", np.array([])) for name in ("begin", "end"))
    if not np.isfinite(begin).any():
        return []

    def lines(heights: np.ndarray) -> Callable[[Axes], None]:
        def draw(axis: Axes) -> None:
            for chosen, color, width in ((~accepted, OTHERS[0], 0.8), (accepted, FOUND, 2.0)):
                axis.hlines(heights[chosen], begin[chosen], end[chosen], color=color, linewidth=width)
            axis.set(yscale="log", xlabel=record.inputs[0] if len(record.inputs) == 1 else "time")

        return draw

    def errors(axis: Axes) -> None:
        lines(positive(record.rows["solve/error"]))(axis)
        _limit(axis, tol)
        axis.set(title="estimated error of the way")

    def lengths(axis: Axes) -> None:
        lines(end - begin)(axis)
        axis.set(title="length of windows")

    return [errors, lengths]


def _marks(axis: Axes, x: np.ndarray, y: np.ndarray, filled: np.ndarray) -> None:
    axis.plot(x, y, color=FOUND, linewidth=0.6, alpha=0.5)
    kinds: list[tuple[np.ndarray, str, FillStyleType, str]] = [
        (~filled, OTHERS[0], "none", "not accepted"),
        (filled, FOUND, "full", "accepted"),
    ]
    for chosen, color, style, label in kinds:
        if chosen.any():
            axis.plot(x[chosen], y[chosen], "o", color=color, markersize=4, fillstyle=style, label=label)
    legend(axis)


def _limit(axis: Axes, tol: float | None) -> None:
    if tol is not None:
        axis.axhline(tol, color=EXACT, linestyle="--", linewidth=0.8)
