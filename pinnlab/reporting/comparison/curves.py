"""The figure of a comparison: error against steps and against seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnlab.reporting.comparison import Comparison
from pinnlab.reporting.figures.style import CYCLE, LINES, TINY, panels, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMED = len(CYCLE) * 2
_POINTS = 400
# Rows of a run that are drawn as dots as well.
_FEW = 5


def draw_curves(comparison: Comparison) -> Figure:
    """Draw every run, one colour and line style for each group; groups beyond the best twelve are grey."""
    with styled():
        figure, (by_step, by_second) = panels(2, size=(5.2, 3.8))
        handles = []
        # the best groups are drawn last, on top
        for number, (values, runs) in reversed(list(enumerate(comparison.groups.items()))):
            named = number < _NAMED
            color = CYCLE[number % len(CYCLE)] if named else "0.8"
            line = LINES[number // len(CYCLE)] if named else "-"
            label = comparison.label(values)
            drawn = False
            for run in runs:
                curve = comparison.curve(run)
                if curve is None:
                    continue
                steps, seconds, errors = (_thin(column) for column in curve)
                # a line needs two points to be seen, and a solve to a tolerance may have one
                style: dict[str, Any] = {"marker": "o", "markersize": 3} if len(steps) < _FEW else {}
                style |= {"color": color, "linestyle": line, "linewidth": 1, "alpha": 0.85}
                for axis, x in ((by_step, steps), (by_second, seconds)):
                    (handle,) = axis.plot(x, errors + TINY, **style)
                if named and not drawn:
                    handles.append((handle, f"{label} ({len(runs)})" if len(runs) > 1 else label))
                    drawn = True
        for axis, name in ((by_step, "step"), (by_second, "seconds")):
            axis.set(xlabel=name, yscale="log")
        by_step.set_ylabel(comparison.curve_metric.replace("_", " "))
        if handles:
            lines, labels = zip(*reversed(handles), strict=True)
            figure.legend(lines, labels, loc="outside lower center", ncols=min(3, len(labels)))
        return figure


def _thin(column: Sequence[float] | np.ndarray) -> np.ndarray:
    """At most some hundred entries, the last among them."""
    column = np.asarray(column)
    if len(column) <= _POINTS:
        return column
    return column[np.unique(np.linspace(0, len(column) - 1, _POINTS).astype(int))]
