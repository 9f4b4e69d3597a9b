"""The figure of a comparison: errors at the end of runs, and on the way against steps and seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pinnlab.reporting.comparison import Comparison
from pinnlab.reporting.comparison.runs import ERROR, Run
from pinnlab.reporting.figures.style import CYCLE, LINES, MARKS, panels, positive, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NAMED = len(CYCLE) * 2
_POINTS = 400
# Rows of a run that are drawn as dots as well.
_FEW = 5


def draw_curves(comparison: Comparison) -> Figure:
    """Draw every run, one colour and line style for each group; groups beyond the best twelve are grey.

    First comes the metric that the table is sorted by, at the end of each run over its seconds, with a hollow mark
    where the run itself estimates that error; then how runs came there, by step and by second.
    """
    from matplotlib.lines import Line2D

    ends = any(_end(comparison, run) for run in comparison.runs)
    with styled():
        figure, axes = panels(3 if ends else 2, size=(4.0 if ends else 5.2, 3.8))
        by_step, by_second = axes[-2:]
        handles = []
        # the best groups are drawn last, on top
        for number, (values, runs) in reversed(list(enumerate(comparison.groups.items()))):
            named = number < _NAMED
            color = CYCLE[number % len(CYCLE)] if named else "0.8"
            line = LINES[number // len(CYCLE)] if named else "-"
            label = comparison.label(values)
            mark, drawn = MARKS[number // len(CYCLE) % 2], False
            for run in runs:
                if ends and (end := _end(comparison, run)):
                    drawn = True
                    _mark(axes[0], *end, comparison.estimate(run), color, mark)
                curve = comparison.curve(run)
                if curve is None:
                    continue
                steps, seconds, errors = (_thin(column) for column in curve)
                drawn = True
                single = "." if len(errors) == 1 else ""
                for axis, x in ((by_step, steps), (by_second, seconds)):
                    axis.plot(x, positive(errors), marker=single, color=color, linestyle=line, linewidth=1, alpha=0.85)
            if named and drawn:
                sample = Line2D([], [], color=color, linestyle=line, marker=mark if ends else "", markersize=5)
                handles.append((sample, f"{label} ({len(runs)})" if len(runs) > 1 else label))
        if ends:
            axes[0].set(xlabel="seconds", xscale="log", yscale="log", title=f"{_words(comparison.metric)} at the end")
        for axis, name in ((by_step, "step"), (by_second, "seconds")):
            axis.set(xlabel=name, yscale="log", title=f"{_words(comparison.curve_metric)} on the way")
        if handles:
            lines, labels = zip(*reversed(handles), strict=True)
            figure.legend(lines, labels, loc="outside lower center", ncols=min(3, len(labels)))
        return figure


def caption(comparison: Comparison) -> str:
    """What the figure shows, in a sentence."""
    metric, way = _words(comparison.metric), _words(comparison.curve_metric)
    if not any(_end(comparison, run) for run in comparison.runs):
        return f"{way} against steps and against seconds"
    hollow = " (hollow: as the run itself estimates it)" if any(map(comparison.estimate, comparison.runs)) else ""
    return f"{metric} at the end of each run over its seconds{hollow}; {way} against steps and against seconds"


def _end(comparison: Comparison, run: Run) -> tuple[float, float] | None:
    """Seconds of a run and the metric at its end, where a logarithmic axis has a place for both."""
    seconds, error = comparison.final(run, "seconds"), comparison.final(run, comparison.metric)
    if comparison.metric == "seconds" or not (seconds and error and 0 < seconds < math.inf and 0 < error < math.inf):
        return None
    return seconds, error


def _mark(axis: Axes, x: float, error: float, estimate: float | None, color: str, marker: str) -> None:
    """A mark at the error, joined to a hollow one at the estimated error."""
    if estimate is not None and 0 < estimate < math.inf:
        axis.plot([x, x], [error, estimate], color=color, linewidth=0.8, alpha=0.6)
        axis.plot(x, estimate, marker, color=color, markersize=5, fillstyle="none")
    axis.plot(x, error, marker, color=color, markersize=5)


def _words(metric: str) -> str:
    return {ERROR: "estimated error"}.get(metric, metric.replace("_", " "))


def _thin(column: Sequence[float] | np.ndarray) -> np.ndarray:
    """At most some hundred entries, the last among them."""
    column = np.asarray(column)
    if len(column) <= _POINTS:
        return column
    return column[np.unique(np.linspace(0, len(column) - 1, _POINTS).astype(int))]
