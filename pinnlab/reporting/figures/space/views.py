"""Views of a solution: the points where it is evaluated, and the panels that show it there."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from pinnlab.collocation import Grid
from pinnlab.equations import Equation
from pinnlab.equations.inputs import axis_names
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region, select
from pinnlab.reporting.figures.panels import Panel, Record, solution
from pinnlab.reporting.figures.space.flow import VectorField, flow
from pinnlab.reporting.figures.space.mesh import broken, lattice, triangles
from pinnlab.reporting.figures.space.places import Slice, Values, columns_of, drawn, extent_of, in_parts, middle_of
from pinnlab.reporting.figures.style import CYCLE, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points of a curve, of a map, and along each axis of a slice.
_CURVE, _MAP, _SIDE = 1001, 101 * 101, 81
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
    vectors: Sequence[VectorField] = (),
) -> dict[str, Panel]:
    """Panels of fields of a solution, each within the region of its output: nothing is drawn outside.

    One axis: curves. Two: maps, to scale where neither is a time, and with time also curves at some times. More: maps
    of slices through the middle of the region, with time at its start, middle and end.

    Args:
        equation: What names the inputs and has the region.
        fields: Field -> the output that it is, or is a derivative of.
        values: What computes the fields and the components of vector fields.
        margins: The estimated errors of fields that have one; those that are not finite are not drawn.
        time: The input that is the time, if there is one.
        until: Where the solution ends in time, if that is before the end.
        vectors: Vector fields.

    Raises:
        UserError: if the equation holds on a surface or on points in more than two axes.
    """
    found = dict[str, Panel]()
    for region, names in drawn(equation, fields, time, until):
        some = in_parts(values, names)
        bands = {name: margin for name, margin in (margins or {}).items() if name in names and np.isfinite(margin)}
        view = _View(equation, region, some, bands, time)
        if equation.dimension == 1:
            found |= view.curves()
        elif equation.dimension == 2:
            found |= view.plane()
            if time is not None and region.dimension == 2:
                found |= view.at_times()
        else:
            found |= view.slices()
    for vector in vectors:
        region, _ = next(drawn(equation, {vector.name: vector.output}, time, until))
        some = in_parts(values, list(vector.components.values()))
        found |= _View(equation, region, some, {}, time).flows(vector)
    return found


@dataclass(frozen=True)
class _View:
    """Panels of some fields in one region."""

    equation: Equation
    region: Region
    values: Values
    bands: Mapping[str, float]
    time: str | None

    def record(self, points: Points) -> dict[str, np.ndarray]:
        """The fields at points as a run's record has them, with the widths of their bands."""
        found = {name: column[None] for name, column in self.values(points).items()}
        return found | {f"margin/{name}": np.full_like(found[name], margin) for name, margin in self.bands.items()}

    def curves(self) -> dict[str, Panel]:
        (axis,) = axis_names(self.equation.inputs)
        points = Grid().sample(self.region, _CURVE, 0)
        points = select(points, points[self.equation.inputs[0]].flatten().argsort())
        arrays = {**columns_of(self.equation, points), **self.record(points)}
        if self.region.dimension == 1 and axis in self.region.names:
            arrays = broken(self.region, arrays)
        return _panels(arrays)

    def plane(self) -> dict[str, Panel]:
        scalar = len(self.equation.inputs) == 2
        points = lattice(self.region, _MAP) if scalar else Grid().sample(self.region, _MAP, 0)
        arrays = {**columns_of(self.equation, points), **self.record(points)}
        if scalar:
            arrays["mesh/triangles"] = triangles(self.region, points)
        maps = _panels(arrays)
        return maps if self.time is not None else {name: to_scale(panel) for name, panel in maps.items()}

    def at_times(self) -> dict[str, Panel]:
        """A panel for each field: curves over the other input at some times."""
        time = self.time
        assert time is not None
        (other,) = (name for name in self.equation.inputs if name != time)
        extent = extent_of(self.equation, self.region)
        x = torch.linspace(*extent[other], _CURVE, dtype=torch.float64)
        curves: list[tuple[float, dict[str, np.ndarray]]] = []
        for t in np.linspace(*extent[time], _TIMES).tolist():
            points = {time: torch.full_like(x, t), other: x}
            inside = self.region.contains(points).numpy()
            curves.append((t, {name: np.where(inside, each, np.nan) for name, each in self.values(points).items()}))

        def panel(name: str) -> Panel:
            def draw(axis: Axes) -> None:
                for (t, found), color in zip(curves, CYCLE, strict=False):
                    axis.plot(x.numpy(), found[name], color=color, label=f"{time} = {t:.3g}")
                axis.set(xlabel=other, title=name)
                legend(axis)

            return draw

        return {f"{name} at times": panel(name) for name in curves[0][1]}

    def slices(self) -> dict[str, Panel]:
        """Maps over two axes where the others are fixed; none where the region has no part there."""
        found = dict[str, Panel]()
        for cut in self.cuts():
            corners = cut.corners
            if not len(corners):
                continue
            x, y = cut.both
            named = {f"{name}, {_place(cut)}": column[None] for name, column in self.values(cut.at(x, y)).items()}
            found |= _panels({cut.first: x, cut.second: y, "mesh/triangles": corners, **named})
        return found

    def cuts(self) -> list[Slice]:
        """Slices over two axes of space, at some times; of two axes without time one that is the whole."""
        if self.region.dimension < self.equation.dimension:
            raise UserError(
                f"a picture of {self.equation.name} would need slices of a region without volume: evaluate the "
                "solution and draw the points"
            )
        middle = middle_of(self.equation, self.region)
        space = [axis for axis in middle if axis != self.time]
        pairs = list(
            itertools.combinations(space, 2) if len(space) <= 3 else zip(space[::2], space[1::2], strict=False)
        )
        if self.time is None:
            return [Slice(self.equation, self.region, middle, *pair, _SIDE) for pair in pairs[:_SLICES]]
        times = np.linspace(*extent_of(self.equation, self.region)[self.time], _MAPS).tolist()
        return [Slice(self.equation, self.region, middle | {self.time: t}, *pairs[0], _SIDE) for t in times]

    def flows(self, vector: VectorField) -> dict[str, Panel]:
        """Panels of a vector field in the same slices."""
        found = dict[str, Panel]()
        for cut in self.cuts():
            if len(cut.corners):
                title = f"{vector.name}, {_place(cut)}" if _place(cut) else vector.name
                kind = "streamlines" if vector.streamlines else "arrows"
                found[f"{title}, {kind}"] = to_scale(flow(vector, cut, self.values, title))
        return found


def _panels(arrays: Mapping[str, np.ndarray]) -> dict[str, Panel]:
    """The panels of a run's solution, by the name of what each shows."""
    record = Record({}, {}, arrays, {}, {})
    return dict(zip(record.outputs, solution(record), strict=True))


def _place(cut: Slice) -> str:
    """Where a slice is."""
    rest = (axis for axis in axis_names(cut.equation.inputs) if axis not in (cut.first, cut.second))
    return ", ".join(f"{axis} = {cut.fixed[axis]:.3g}" for axis in rest)


def to_scale(panel: Panel) -> Panel:
    """A map of two lengths with the same scale along both, so that a disc is round; not if it would be a strip."""

    def draw(axis: Axes) -> None:
        panel(axis)
        (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
        if 1 / _STRIP < abs((right - left) / (top - bottom)) < _STRIP:
            axis.set_aspect("equal")

    return draw
