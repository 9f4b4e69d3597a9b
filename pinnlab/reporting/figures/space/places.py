"""Where a solution is drawn: the regions of its outputs, and slices of a region along two axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from pinnlab.collocation import Sobol
from pinnlab.equations import Equation
from pinnlab.equations.domain import home, solids, users
from pinnlab.equations.inputs import by_axis, from_axes
from pinnlab.geometry import Points, Region, Union, select, size

Values = Callable[[Points], Mapping[str, np.ndarray]]
"""Fields at points by name, `(N,)` each."""

# Points that are evaluated at once: derivatives of many features take megabytes for a thousand points.
_AT_ONCE = 2000
# Points of which one is the middle of a region.
_TRIED = 256


def drawn(
    equation: Equation, fields: Mapping[str, str], time: str | None = None, until: float | None = None
) -> Iterator[tuple[Region, list[str]]]:
    """The regions where fields are drawn, each with the fields that are drawn there.

    Args:
        equation: What has the constraints.
        fields: Field -> the output that it is, or is a derivative of.
        time: The input that is the time, if there is one.
        until: Where the solution ends in time, if that is before the end.
    """
    parts: dict[tuple[str, ...], list[str]] = {}
    for name, output in fields.items():
        parts.setdefault(_where(equation, output), []).append(name)
    constraints = equation.constraints()
    for where, names in parts.items():
        regions = [constraints[name].region.hull for name in where]
        if time is not None and until is not None:
            cut = (region.within(time, float(region.extent[time][0]), until) for region in regions)
            regions = [region for region in cut if region is not None]
        if regions:
            yield regions[0] if len(regions) == 1 else Union(*regions), names


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


def in_parts(values: Values, names: list[str]) -> Values:
    """The same values of these fields, computed for some points after others."""

    def some(points: Points) -> dict[str, np.ndarray]:
        every = [values(select(points, part)) for part in torch.arange(size(points)).split(_AT_ONCE)]
        return {name: np.concatenate([part[name] for part in every]) for name in names}

    return some


def extent_of(equation: Equation, region: Region) -> dict[str, tuple[float, float]]:
    """The ends of a region along every axis."""
    low, high = (
        by_axis({name: region.extent[name][end] for name in equation.inputs}, equation.inputs) for end in (0, 1)
    )
    return {axis: (float(low[axis]), float(high[axis])) for axis in low}


def middle_of(equation: Equation, region: Region) -> dict[str, float]:
    """The centre of a region's extent, or a point of the region near it where the centre lies outside."""
    extent = extent_of(equation, region)
    centre = {axis: (low + high) / 2 for axis, (low, high) in extent.items()}
    if bool(region.contains(points_of(equation, {axis: np.array([c]) for axis, c in centre.items()})).all()):
        return centre
    some = Sobol().sample(region, _TRIED, 0)
    columns = columns_of(equation, some)
    far = sum(((columns[a] - centre[a]) / (high - low)) ** 2 for a, (low, high) in extent.items() if high > low)
    return {axis: float(column[np.argmin(far)]) for axis, column in columns.items()}


def columns_of(equation: Equation, points: Points) -> dict[str, np.ndarray]:
    """Points by the names of axes."""
    return by_axis({name: points[name].numpy() for name in equation.inputs}, equation.inputs)


def points_of(equation: Equation, columns: Mapping[str, np.ndarray]) -> Points:
    """Points from columns by the names of axes."""
    return {name: torch.from_numpy(column) for name, column in from_axes(columns, equation.inputs).items()}


@dataclass(frozen=True)
class Slice:
    """A regular grid over two axes, the first one slower, where all other axes have one value each.

    Attributes:
        equation: What names the inputs.
        region: What is cut.
        fixed: Axis -> its value, at least for all others.
        first: One axis.
        second: The other.
        count: Points along each of them.
    """

    equation: Equation
    region: Region
    fixed: Mapping[str, float]
    first: str
    second: str
    count: int

    @property
    def ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The ends of the region along both axes."""
        extent = extent_of(self.equation, self.region)
        return extent[self.first], extent[self.second]

    @property
    def both(self) -> tuple[np.ndarray, np.ndarray]:
        """The coordinates of its points along both axes, `(count²,)` each."""
        x, y = np.meshgrid(*(np.linspace(*ends, self.count) for ends in self.ends), indexing="ij")
        return x.ravel(), y.ravel()

    def at(self, x: np.ndarray, y: np.ndarray) -> Points:
        """The points of the slice with these coordinates."""
        others = {axis: np.full_like(x, value) for axis, value in self.fixed.items()}
        return points_of(self.equation, others | {self.first: x, self.second: y})

    @property
    def corners(self) -> np.ndarray:
        """The triangles between its points whose centres lie in the region, `(T, 3)`."""
        x, y = self.both
        number = np.arange(len(x)).reshape(self.count, self.count)
        a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
        corners = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
        return corners[self.region.contains(self.at(x[corners].mean(1), y[corners].mean(1))).numpy()]
