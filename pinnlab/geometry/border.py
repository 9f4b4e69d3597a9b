"""Boundaries of combined regions, found by stepping off the operands' boundaries on either side.

A point of an operand's boundary belongs to the boundary of the combination where the region lies on one of its sides
and not on the other. The outward normal points to the other side. This one rule holds for unions, differences,
intersections and nested combinations, and for faces that coincide: two boxes that share a side are inside on both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, concatenate, select, tolerance
from pinnlab.geometry.combined import Joined, Rejection, axes, joined
from pinnlab.geometry.product import factored
from pinnlab.geometry.region import Region
from pinnlab.geometry.scattered import Scattered
from pinnlab.geometry.shapes.box import Box
from pinnlab.geometry.shapes.points import PointSet
from pinnlab.geometry.source import Source

_STEPS = 4
"""The length of a step over the tolerance of membership; greater than 1, so that a step from a surface leaves it.

Parts at a smaller distance from each other touch, and a thinner part has no inside.
"""


def border(region: Region) -> Region:
    """The boundary of a region, with the outward normal as columns.

    Raises:
        UserError: the region is a curve in the plane, a surface in space or given points.
    """
    if region.dimension == 0:
        raise UserError("given points have no boundary")
    if region.dimension < axes(region):
        raise UserError(
            f"a region of dimension {region.dimension} in the coordinates {', '.join(region.names)} has no outward "
            "normal, and so no boundary: take that of the solid"
        )
    if isinstance(region, Scattered):
        return joined(region.surfaces())
    return Border(region) if region.dimension > 1 else _ends(region)


class Border(Joined):
    """The boundary of a combined region: the parts of its solids' surfaces that bound it, each place once.

    Example:
        >>> from pinnlab.geometry import Box, Disc
        >>> plate = Box(x=(-1, 1), y=(-1, 1)) - Disc(radius=0.5)
        >>> isinstance(plate.boundary, Border), round(plate.boundary.measure, 3)
        (True, 11.142)
    """

    def __init__(self, region: Region) -> None:
        """Take the region that it bounds; its parts are found when they are needed."""
        self.region = region
        self.names = region.names

    @property
    def dimension(self) -> int:
        """One less than the region's."""
        return self.region.dimension - 1

    @property
    def extent(self) -> Ends:
        """The extent of the region."""
        return self.region.extent

    @cached_property
    def parts(self) -> Sequence[Region]:  # type: ignore[override]
        """The surfaces; a surface is left out if none of 4096 of its points bounds the region.

        Raises:
            UserError: no part is left.
        """
        kept = [part for part in _candidates(self.region) if part.measure > 0]
        if not kept:
            raise UserError(f"the {type(self.region).__name__.lower()} of regions has no boundary; is it empty?")
        return kept

    def rebuilt(self, change: Callable[[Region], Region]) -> Region:
        """The boundary of the region, rebuilt."""
        return border(self.region.rebuilt(change))


class Side(Scattered):
    """A surface of a solid with normals that point out of a combined region.

    Example:
        >>> from pinnlab.geometry import Box, Disc
        >>> hole = Disc(radius=0.5)
        >>> side = Side(hole.boundary, Box(x=(-1, 1), y=(-1, 1)) - hole)
        >>> side.throw(torch.tensor([[0.0]]))[0]["normal_x"]
        tensor([-1.])
    """

    def __init__(self, surface: Scattered, region: Region) -> None:
        """Take the surface, with normals, and the region."""
        self.surface, self.region = surface, region
        self.names = surface.names

    @property
    def parameters(self) -> int:
        """Those of the surface."""
        return self.surface.parameters

    @property
    def dimension(self) -> int:
        """The dimension of the surface."""
        return self.surface.dimension

    @property
    def measure(self) -> float:
        """The measure of the surface."""
        return self.surface.measure

    @property
    def extent(self) -> Ends:
        """The extent of the surface."""
        return self.surface.extent

    def contains(self, points: Points) -> Tensor:
        """Which points lie on the surface."""
        return self.surface.contains(points)

    def within(self, name: str, low: float, high: float) -> Region | None:
        """The part of the surface between the numbers."""
        surface = self.surface.within(name, low, high)
        return Side(surface, self.region) if isinstance(surface, Scattered) else None

    def throw(self, unit: Tensor) -> tuple[Points, Tensor]:
        """The surface's points, turned."""
        points, rows = self.surface.throw(unit)
        return self.turned(points), rows

    def place(self, n: int, source: Source) -> Points:
        """The surface's points, turned."""
        return self.turned(self.surface.place(n, source))

    def turned(self, points: Points) -> Points:
        """Points of the surface; normals are reversed where the region lies on the side that they point to."""
        normal = _normal(self.region, points)
        _, ahead = beside(self.region, points, normal)
        turned = {}
        for name, column in normal.items():
            sign = torch.where(ahead, -1.0, 1.0).to(column)
            turned[f"normal_{name}"] = (sign[:, None] if column.dim() > 1 else sign) * column + 0.0
        return points | turned


class Bounding(Rejection):
    """The points of a surface that have the region on one side alone, and lie on no earlier surface.

    Example:
        >>> from pinnlab.geometry import Box
        >>> left, right = Box(x=(0, 1), y=(0, 1)), Box(x=(1, 2), y=(0, 1))
        >>> joint = Bounding(left.face("x", 1), left | right, [])
        >>> joint.measure
        0.0
    """

    def __init__(self, base: Region, region: Region, earlier: Sequence[Region]) -> None:
        """Take the surface, the region, and the surfaces of other solids whose points have been taken already."""
        self.base, self.region, self.earlier = base, region, earlier
        self.names = base.names

    def passes(self, points: Points) -> Tensor:
        """Which points bound the region; without a normal among the columns it is sought along all coordinates."""
        normal = _normal(self.region, points)
        column = points[self.region.names[0]]
        ways = [normal] if normal else [{name: torch.ones_like(points[name])} for name in self.region.names]
        sides = torch.stack([side for way in ways for side in beside(self.region, points, way)])
        bounding = (sides.any(0) & ~sides.all(0)).to(column.device)
        for surface in self.earlier:
            bounding = bounding & ~surface.contains(points)
        return bounding

    def on(self, base: Region) -> Rejection:
        """The same test on another base."""
        return Bounding(base, self.region, self.earlier)

    def rebuilt(self, change: Callable[[Region], Region]) -> Region:
        """The same of the surface and the regions, rebuilt."""
        earlier = [surface.rebuilt(change) for surface in self.earlier]
        return Bounding(self.base.rebuilt(change), self.region.rebuilt(change), earlier)


def beside(region: Region, points: Points, direction: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Whether the region lies behind and ahead of points, a little along a direction: two of booleans `(N,)`.

    Args:
        region: The region.
        points: Columns of N points; a step is in proportion to their rounding.
        direction: Coordinate ↦ component, `(N,)`, of unit length or so; others stay.
    """
    scales: dict[str, float] = {}
    for solid in region.solids():
        for name, scale in solid.scales.items():
            scales[name] = max(scale, scales.get(name, 1.0))
    # the points may be rounded to float32, the steps are not
    exact = {name: points[name].double() for name in region.names}
    steps = {
        name: _STEPS * tolerance(points[name], scales[name]) * component.double()
        for name, component in direction.items()
    }
    behind = region.contains(exact | {name: exact[name] - step for name, step in steps.items()})
    return behind, region.contains(exact | {name: exact[name] + step for name, step in steps.items()})


def _normal(region: Region, points: Points) -> dict[str, Tensor]:
    return {name: points[f"normal_{name}"] for name in region.names if f"normal_{name}" in points}


def _candidates(region: Region) -> list[Bounding]:
    """All surfaces of the solids that a region is combined from, each with the surfaces of earlier solids."""
    found: list[Bounding] = []
    earlier: list[Scattered] = []
    for solid in {id(solid): solid for solid in region.solids()}.values():
        if solid.dimension < axes(solid):
            # a curve that is cut out of a plate takes no area away
            continue
        own = [_extended(surface, region) for surface in _surfaces(solid)]
        found += [Bounding(Side(surface, region), region, tuple(earlier)) for surface in own]
        earlier += own
    return found


def _surfaces(solid: Region) -> list[Scattered]:
    surfaces = solid.surfaces()
    found = [surface for surface in surfaces if isinstance(surface, Scattered)]
    if len(found) < len(surfaces):
        raise UserError(f"the surfaces of a {type(solid).__name__} must be Parametrised, or Scattered")
    return found


def _extended(surface: Scattered, region: Region) -> Scattered:
    """A surface of a solid with fewer coordinates, such as a hole, over the whole range of the others, such as time."""
    missing = {name: ends for name, ends in region.extent.items() if name not in surface.names}
    return factored(surface, Box(**missing)) if missing else surface


def _ends(region: Region) -> PointSet:
    """The boundary of combined intervals: the ends of the combination, in ascending order."""
    (name,) = region.names
    solids = [solid for solid in region.solids() if solid.dimension]
    origin = torch.zeros(1, 0, dtype=torch.float64)
    points = concatenate([end.throw(origin)[0] for solid in solids for end in _surfaces(solid)])
    points = select(points, points[name].argsort())
    behind, ahead = beside(region, points, _normal(region, points))
    bounding = behind != ahead
    # an end of two intervals is one end
    place = points[name]
    bounding[1:] &= place.diff() > _STEPS * tolerance(place, float(place.abs().max()))
    if not bounding.any():
        raise UserError(f"the {type(region).__name__.lower()} of intervals has no boundary; is it empty?")
    normal = f"normal_{name}"
    points[normal] = torch.where(ahead, -points[normal], points[normal])
    return PointSet(**select(points, bounding))
