"""Views of a solution: the points where it is evaluated, and the panels that show it there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from pinnlab.collocation import Grid, Sobol
from pinnlab.equations import Equation
from pinnlab.equations.domain import home, solids, users
from pinnlab.equations.inputs import axis_names, by_axis, from_axes
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region, Union, select, size
from pinnlab.reporting.figures.mesh import broken, lattice, triangles
from pinnlab.reporting.figures.panels import Panel, Record, solution
from pinnlab.reporting.figures.style import CYCLE, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = Callable[[Points], Mapping[str, np.ndarray]]
"""Fields at points by name, `(N,)` each."""

# Points that are evaluated at once: derivatives of many features take megabytes for a thousand points.
_AT_ONCE = 2000
# Points of a curve, of a map, and along each axis of a slice; points of which one is the middle of a region.
_CURVE, _MAP, _SIDE, _TRIED = 1001, 101 * 101, 81, 256
# Times of curves and of maps; slices of a region without time.
_TIMES, _MAPS, _SLICES = 5, 3, 3
# A region that is longer than wide by this factor is a strip.
_STRIP = 4.0


def views(
    equation: Equation,
    fields: Mapping[str, str],
    values: Values,
    margins: Mapping[str, float] | None = None,
    time: str | None = None,
    until: float | None = None,
) -> dict[str, Panel]:
    """Panels of fields of a solution, each within the region of its output: nothing is drawn outside.

    One axis: curves. Two: maps, to scale where neither is a time, and with time also curves at some times. More: maps
    of slices through the middle of the region, with time at its start, middle and end.

    Args:
        equation: What names the inputs and has the region.
        fields: Field -> the output that it is, or is a derivative of.
        values: What computes the fields.
        margins: The estimated errors of fields that have one; those that are not finite are not drawn.
        time: The input that is the time, if there is one.
        until: Where the solution ends in time, if that is before the end.

    Raises:
        UserError: if the equation holds on a surface or on points in more than two axes.
    """
    parts: dict[tuple[str, ...], list[str]] = {}
    for name, output in fields.items():
        parts.setdefault(_where(equation, output), []).append(name)
    constraints, found = equation.constraints(), dict[str, Panel]()
    for where, names in parts.items():
        regions = [constraints[name].region.hull for name in where]
        if time is not None and until is not None:
            cut = (region.within(time, float(region.extent[time][0]), until) for region in regions)
            regions = [region for region in cut if region is not None]
        if not regions:
            continue
        region = regions[0] if len(regions) == 1 else Union(*regions)

        def some(points: Points, names: Sequence[str] = names) -> dict[str, np.ndarray]:
            parts = torch.arange(size(points)).split(_AT_ONCE)
            every = [values(select(points, part)) for part in parts]
            found = {name: np.concatenate([part[name] for part in every])[None] for name in names}
            bands = {name: margin for name, margin in (margins or {}).items() if name in names and np.isfinite(margin)}
            return found | {f"margin/{name}": np.full_like(found[name], margin) for name, margin in bands.items()}

        if equation.dimension == 1:
            found |= _curves(equation, region, some)
        elif equation.dimension == 2:
            plane = _plane(equation, region, some)
            found |= plane if time is not None else {name: _to_scale(panel) for name, panel in plane.items()}
            if time is not None and region.dimension == 2:
                found |= _at_times(equation, region, some, names, time)
        elif region.dimension == equation.dimension:
            found |= _slices(equation, region, some, time)
        else:
            raise UserError(
                f"a picture of {equation.name} would need slices of a region without volume: evaluate the solution and "
                "draw the points"
            )
    return found


def _where(equation: Equation, output: str) -> tuple[str, ...]:
    """The constraints whose regions together are where an output is drawn, none of them within the others."""
    every = solids(equation)
    asking = sorted((name for name in users(equation, output) if name in every), key=lambda name: -every[name].measure)
    chosen: list[str] = []
    for name in asking:
        points = Sobol().sample(every[name].hull, _TRIED, 0)
        if not chosen or not bool(torch.stack([every[other].contains(points) for other in chosen]).any(0).all()):
            chosen.append(name)
    return tuple(chosen) or (home(equation, output),)


def _record(arrays: Mapping[str, np.ndarray]) -> Record:
    return Record({}, {}, arrays, {}, {})


def _panels(arrays: Mapping[str, np.ndarray]) -> dict[str, Panel]:
    """The panels of a run's solution, by the name of what each shows."""
    record = _record(arrays)
    return dict(zip(record.outputs, solution(record), strict=True))


def _curves(equation: Equation, region: Region, values: Values) -> dict[str, Panel]:
    (axis,) = axis_names(equation.inputs)
    points = Grid().sample(region, _CURVE, 0)
    points = select(points, points[equation.inputs[0]].flatten().argsort())
    arrays = {**_columns(equation, points), **values(points)}
    if region.dimension == 1 and axis in region.names:
        arrays = broken(region, arrays)
    return _panels(arrays)


def _plane(equation: Equation, region: Region, values: Values) -> dict[str, Panel]:
    scalar = len(equation.inputs) == 2
    points = lattice(region, _MAP) if scalar else Grid().sample(region, _MAP, 0)
    arrays = {**_columns(equation, points), **values(points)}
    if scalar:
        arrays["mesh/triangles"] = triangles(region, points)
    return _panels(arrays)


def _to_scale(panel: Panel) -> Panel:
    """A map of two lengths with the same scale along both, so that a disc is round; not if it would be a strip."""

    def draw(axis: Axes) -> None:
        panel(axis)
        (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
        if 1 / _STRIP < abs((right - left) / (top - bottom)) < _STRIP:
            axis.set_aspect("equal")

    return draw


def _at_times(equation: Equation, region: Region, values: Values, names: Sequence[str], time: str) -> dict[str, Panel]:
    """A panel for each field: curves over the other input at some times."""
    (other,) = (name for name in equation.inputs if name != time)
    first, last = (float(end) for end in region.extent[time])
    low, high = (float(end) for end in region.extent[other])
    x = torch.linspace(low, high, _CURVE, dtype=torch.float64)
    curves: list[tuple[float, dict[str, np.ndarray]]] = []
    for t in np.linspace(first, last, _TIMES).tolist():
        points = {time: torch.full_like(x, t), other: x}
        inside = region.contains(points).numpy()
        curves.append((t, {name: np.where(inside, each[0], np.nan) for name, each in values(points).items()}))

    def panel(name: str) -> Panel:
        def draw(axis: Axes) -> None:
            for (t, found), color in zip(curves, CYCLE, strict=False):
                axis.plot(x.numpy(), found[name], color=color, label=f"{time} = {t:.3g}")
            axis.set(xlabel=other, title=name)
            legend(axis)

        return draw

    return {f"{name} at times": panel(name) for name in names}


def _slices(equation: Equation, region: Region, values: Values, time: str | None) -> dict[str, Panel]:
    axes = axis_names(equation.inputs)
    extent = _extent(equation, region)
    middle = _middle(equation, region, extent)
    space = [axis for axis in axes if axis != time]
    pairs = list(itertools.combinations(space, 2) if len(space) <= 3 else zip(space[::2], space[1::2], strict=False))
    found = dict[str, Panel]()
    if time is None:
        for first, second in pairs[:_SLICES]:
            found |= _slice(equation, region, values, extent, middle, first, second)
        return found
    first, second = pairs[0]
    for t in np.linspace(*extent[time], _MAPS).tolist():
        found |= _slice(equation, region, values, extent, middle | {time: t}, first, second)
    return found


def _extent(equation: Equation, region: Region) -> dict[str, tuple[float, float]]:
    """The ends of a region along every axis."""
    low, high = (
        by_axis({name: region.extent[name][end] for name in equation.inputs}, equation.inputs) for end in (0, 1)
    )
    return {axis: (float(low[axis]), float(high[axis])) for axis in low}


def _middle(equation: Equation, region: Region, extent: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """The centre of a region's extent, or a point of the region near it where the centre lies outside."""
    centre = {axis: (low + high) / 2 for axis, (low, high) in extent.items()}
    if bool(region.contains(_points(equation, {axis: np.array([c]) for axis, c in centre.items()})).all()):
        return centre
    some = Sobol().sample(region, _TRIED, 0)
    columns = _columns(equation, some)
    far = sum(((columns[a] - centre[a]) / (high - low)) ** 2 for a, (low, high) in extent.items() if high > low)
    return {axis: float(column[np.argmin(far)]) for axis, column in columns.items()}


def _columns(equation: Equation, points: Points) -> dict[str, np.ndarray]:
    """Points by the names of axes."""
    return by_axis({name: points[name].numpy() for name in equation.inputs}, equation.inputs)


def _points(equation: Equation, columns: Mapping[str, np.ndarray]) -> Points:
    return {name: torch.from_numpy(column) for name, column in from_axes(columns, equation.inputs).items()}


def _slice(
    equation: Equation, region: Region, values: Values, extent: Mapping[str, tuple[float, float]],
    fixed: Mapping[str, float], first: str, second: str,
) -> dict[str, Panel]:  # fmt: skip
    """Maps over two axes where the others are fixed; none where the region has no part there."""
    x, y = (a.ravel() for a in np.meshgrid(*(np.linspace(*extent[a], _SIDE) for a in (first, second)), indexing="ij"))

    def at(*both: np.ndarray) -> Points:
        others = {axis: np.full_like(both[0], value) for axis, value in fixed.items()}
        return _points(equation, others | dict(zip((first, second), both, strict=True)))

    number = np.arange(_SIDE * _SIDE).reshape(_SIDE, _SIDE)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    corners = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    corners = corners[region.contains(at(x[corners].mean(1), y[corners].mean(1))).numpy()]
    if not len(corners):
        return {}
    rest = (axis for axis in axis_names(equation.inputs) if axis not in (first, second))
    place = ", ".join(f"{axis} = {fixed[axis]:.3g}" for axis in rest)
    named = {f"{name}, {place}": each for name, each in values(at(x, y)).items()}
    return _panels({first: x, second: y, "mesh/triangles": corners, **named})
