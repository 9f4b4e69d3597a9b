"""The figures of a run: each is a list of panels, and a panel draws one thing of the record into one set of axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnlab.reporting.figures.attempts import attempts, tried
from pinnlab.reporting.figures.style import ERRORS, EXACT, FOUND, OTHERS, VALUES, floored, legend, positive
from pinnlab.reporting.record.rows import unknowns_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

Panel = Callable[["Axes"], None]
Arrays = Mapping[str, np.ndarray]
Figure = Callable[["Record"], list[Panel]]


@dataclass(frozen=True)
class Record:
    """The record of a run as figures take it.

    Attributes:
        rows: Columns of the record, `(rows,)` each.
        summary: How the run ended; empty where it was killed.
        solution: Inputs `(N,)`, outputs with derivatives `(order + 1, N)`, `exact/NAME` alike or
            `(1, N)`, `margin/NAME` `(1, N)`, `residual` `(components, N)`, `mesh/triangles` `(T, 3)`; empty where there
            is none.
        points: Collocation points as `constraint/column` ↦ `(N,)`.
        truths: The true values of unknowns that have one.
    """

    rows: Arrays
    summary: Mapping[str, Any]
    solution: Arrays
    points: Arrays
    truths: Mapping[str, float]

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs, whose arrays have one dimension more than those of the inputs."""
        return [n for n, a in self.solution.items() if a.ndim == 2 and n != "residual" and "/" not in n]

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs."""
        return [name for name, array in self.solution.items() if array.ndim == 1]

    @property
    def unknowns(self) -> list[str]:
        """The columns that are unknowns."""
        return list(self.summary["unknowns"]) if "unknowns" in self.summary else unknowns_of(self.rows)


def solution(record: Record) -> list[Panel]:
    """One input: outputs and derivatives against the exact ones. Two: maps of both and of the error."""
    if len(record.inputs) == 1:
        return [
            _derivative(record, name, order) for name in record.outputs for order in range(len(record.solution[name]))
        ]
    if len(record.inputs) != 2:
        return []
    maps = []
    for name in record.outputs:
        found, exact = record.solution[name][0], record.solution.get(f"exact/{name}")
        maps.append(_map(record, found, name))
        if exact is not None:
            maps.append(_map(record, exact[0], f"{name}, exact"))
            maps.append(_map(record, np.abs(found - exact[0]), f"|error of {name}|", ERRORS))
    return maps


def residual(record: Record) -> list[Panel]:
    """Error and residual over the domain."""
    if len(record.inputs) == 2 and "residual" in record.solution:
        count = len(record.solution["residual"])
        names = ["|residual|"] if count == 1 else [f"|residual {number + 1}|" for number in range(count)]
        sizes = np.abs(record.solution["residual"])
        return [_map(record, size, name, ERRORS) for size, name in zip(sizes, names, strict=True)]
    if len(record.inputs) != 1:
        return []
    (coordinate,) = record.inputs
    x = record.solution[coordinate]

    def error(axis: Axes) -> None:
        for name, color in zip(record.outputs, OTHERS, strict=False):
            exact = record.solution[f"exact/{name}"]
            gap = np.abs(record.solution[name][: len(exact)] - exact)
            for order, (sizes, style) in enumerate(zip(gap, ("-", ":"), strict=False)):
                scale = float(np.nanmax(np.abs(exact[order])))
                axis.semilogy(x, floored(sizes, scale), color=color, linestyle=style, label=name + "'" * order)
            estimate = record.summary.get("metrics", {}).get(f"uncertainty_{name}")
            if estimate:
                axis.axhline(estimate, color=color, linestyle="--", linewidth=0.8, label=f"± of {name}")
        axis.set(xlabel=coordinate, title="|error|")
        legend(axis)

    def size(axis: Axes) -> None:
        # a residual is a sum of terms of this size
        scale = max((float(np.nanmax(np.abs(record.solution[name]))) for name in record.outputs), default=1.0)
        for component, color in zip(np.abs(record.solution["residual"]), OTHERS, strict=False):
            axis.semilogy(x, floored(component, scale), color=color)
        axis.set(xlabel=coordinate, title="|residual|")

    known = bool(record.outputs) and all(f"exact/{name}" in record.solution for name in record.outputs)
    return [*([error] if known else []), *([size] if "residual" in record.solution else [])]


def points(record: Record) -> list[Panel]:
    """The collocation points that training ended with: a histogram over one input, a map of their density over two."""
    constraints: dict[str, dict[str, np.ndarray]] = {}
    for key, column in record.points.items():
        constraint, _, name = key.partition("/")
        if not record.inputs or name in record.inputs:
            constraints.setdefault(constraint, {})[name] = column
    if not constraints:
        return []

    def line(axis: Axes) -> None:
        for number, (name, columns) in enumerate(constraints.items()):
            ((coordinate, x),) = columns.items()
            color = [FOUND, *OTHERS][number % 6]
            if len(x) > 4:
                axis.hist(x, bins=min(40, max(8, len(x) // 8)), density=True, color=color, alpha=0.35)
            axis.plot(x, np.full(len(x), -0.04 * (number + 1)), "|", color=color, label=f"{name} ({len(x)})",
                      transform=axis.get_xaxis_transform(), clip_on=False)  # fmt: skip
            axis.set(xlabel=coordinate, title="collocation points: density", ylim=(0, None))
        axis.tick_params(axis="x", pad=3 + 5 * len(constraints))
        legend(axis, lower=5 * len(constraints))

    def plane(axis: Axes) -> None:
        for (name, columns), color in zip(constraints.items(), (FOUND, *OTHERS), strict=False):
            x, y = list(columns.values())[:2]
            axis.plot(x, y, ".", markersize=2, color=color, label=f"{name} ({len(x)})")
        axis.set(xlabel=names[0], ylabel=names[1], title="collocation points")
        legend(axis, markerscale=4)

    def density(axis: Axes) -> None:
        x, y = list(largest.values())[:2]
        cells = int(np.clip(np.sqrt(len(x) / 8), 4, 40))
        counts, xs, ys = np.histogram2d(x, y, bins=cells, density=True)
        # blank where no point lies, as outside of the region
        shown = axis.pcolormesh(xs, ys, np.where(counts > 0, counts, np.nan).T, cmap=VALUES)
        axis.figure.colorbar(shown, ax=axis)
        axis.grid(False)
        axis.set(xlabel=names[0], ylabel=names[1], title="density")

    largest = max(constraints.values(), key=lambda columns: (len(columns), len(next(iter(columns.values())))))
    names = list(largest)
    return [line] if len(names) == 1 else [plane, density]


def history(record: Record) -> list[Panel]:
    """The loss and its shares, the weights that balancing changed, and each unknown or its error, against steps.

    For a solve to a tolerance, which has no such steps, see `attempts`.
    """
    if tried(record):
        return attempts(record)
    if "loss" not in record.rows:
        return []
    steps = record.rows["step"]

    def loss(axis: Axes) -> None:
        axis.semilogy(steps, positive(record.rows["loss"]), color=EXACT, label="all")
        shares = [name for name in record.rows if name.startswith("loss/")]
        for name, color in zip(shares, OTHERS, strict=False):
            term = positive(record.rows[name])
            axis.semilogy(steps, term, color=color, linewidth=0.9, label=name.removeprefix("loss/"))
        axis.set(title="loss", xlabel="step")
        legend(axis)
        _phases(axis, record, steps)

    weights = [name for name in record.rows if name.startswith("weight/")]

    def balance(axis: Axes) -> None:
        for name, color in zip(weights, OTHERS, strict=False):
            axis.semilogy(steps, positive(record.rows[name]), color=color, label=name.removeprefix("weight/"))
        axis.set(title="weights", xlabel="step")
        legend(axis)
        _phases(axis, record, steps)

    def unknown(name: str) -> Panel:
        truth = record.truths.get(name)

        def draw(axis: Axes) -> None:
            if truth is None:
                axis.plot(steps, record.rows[name], color=FOUND)
                axis.set(title=name, xlabel="step")
            else:
                axis.semilogy(steps, floored(np.abs(record.rows[name] - truth), abs(truth)), color=FOUND)
                axis.set(title=f"|{name} - {truth:.6g}|", xlabel="step")
            _phases(axis, record, steps)

        return draw

    return [loss, *([balance] if weights else []), *(unknown(name) for name in record.unknowns if name in record.rows)]


def cost(record: Record) -> list[Panel]:
    """The loss against seconds, and seconds against steps, whose slope is the cost of a step."""
    if "seconds" not in record.rows or tried(record):
        return []
    steps, seconds = record.rows["step"], record.rows["seconds"]

    def loss(axis: Axes) -> None:
        axis.semilogy(seconds, positive(record.rows["loss"]), color=EXACT)
        axis.set(title="loss", xlabel="seconds of training")
        _phases(axis, record, seconds)

    def clock(axis: Axes) -> None:
        axis.plot(steps, seconds, color=FOUND)
        axis.set(title="seconds of training", xlabel="step")
        _phases(axis, record, steps)

    return [loss, clock]


FIGURES: dict[str, Figure] = {
    "solution": solution,
    "residual": residual,
    "points": points,
    "history": history,
    "cost": cost,
}
"""The figures of a run by the names of their files."""


def _phases(axis: Axes, record: Record, x: np.ndarray) -> None:
    """A line where a phase gives way to the next."""
    phases = record.rows.get("phase")
    if phases is None or len(phases) < 2:
        return
    for row in np.flatnonzero(phases[1:] != phases[:-1]):
        axis.axvline(x[row + 1], color="grey", linewidth=0.8, linestyle=":")


def _derivative(record: Record, name: str, order: int) -> Panel:
    (coordinate,) = record.inputs
    x = record.solution[coordinate]

    def draw(axis: Axes) -> None:
        found = record.solution[name][order]
        axis.plot(x, found, color=FOUND, label="found")
        margin = record.solution.get(f"margin/{name}")
        if margin is not None:
            low, high, label = found - margin[0], found + margin[0], f"± {np.nanmax(margin):.0e}"
            axis.fill_between(x, low, high, color=FOUND, alpha=0.25, linewidth=0, label=label)
        exact = record.solution.get(f"exact/{name}")
        if exact is not None and order < len(exact):
            axis.plot(x, exact[order], color=EXACT, linestyle="--", linewidth=1, label="exact")
        axis.set(xlabel=coordinate, title=name + ("'" * order if order < 4 else f"$^{{({order})}}$"))
        legend(axis)

    return draw


def _map(record: Record, values: np.ndarray, title: str, colors: str = VALUES) -> Panel:
    first, second = record.inputs

    def draw(axis: Axes) -> None:
        x, y = record.solution[first], record.solution[second]
        # what the region covers; older records do not say, and their points are triangulated as a whole
        corners = record.solution.get("mesh/triangles")
        shown: ScalarMappable
        if corners is not None and not len(corners):
            shown = axis.scatter(x, y, s=4, c=values, cmap=colors, rasterized=True)
        else:
            shown = axis.tripcolor(x, y, values, triangles=corners, shading="gouraud", cmap=colors, rasterized=True)
        axis.figure.colorbar(shown, ax=axis)
        axis.grid(False)
        axis.set(xlabel=first, ylabel=second, title=title)

    return draw
