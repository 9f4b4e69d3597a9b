"""The results of the operators of regions: `a | b`, `a & b`, `a - b`, `a * b`, the boundary, and what is moved.

`Region` imports this module, because operators are its methods; apart from this, the imports of the package have one
direction.
"""

from __future__ import annotations

from collections.abc import Mapping

from pinnlab.errors import UserError
from pinnlab.geometry.border import border as border
from pinnlab.geometry.combined import Difference, Intersection, Union, axes
from pinnlab.geometry.numbers import number, pair
from pinnlab.geometry.product import product as product
from pinnlab.geometry.region import Region
from pinnlab.geometry.transforms.motion import shifted, stretched, turn
from pinnlab.geometry.transforms.moved import Mover
from pinnlab.geometry.transforms.revolution import Revolving


def union(first: Region, second: Region) -> Region:
    """The points of either region, `first | second`, none of them twice as often."""
    if first.dimension == 0:
        return Union(first, second)
    return Union(first, Difference(second, first))


def difference(first: Region, second: Region) -> Region:
    """The points of the first region that are not in the second, `first - second`."""
    return Difference(first, second)


def intersection(first: Region, second: Region) -> Region:
    """The points in both regions, `first & second`, sampled from the one of lower dimension, of two solids the smaller.

    Of two curves or surfaces the first is sampled, and has its columns: `(plate - hole).boundary & hole.boundary` has
    the normals of the former.
    """
    swap = False
    if set(first.names) == set(second.names):
        if first.dimension == second.dimension == axes(first):
            swap = second.measure < first.measure
        else:
            swap = second.dimension < first.dimension
    return Intersection(second, first) if swap else Intersection(first, second)


def translated(region: Region, by: Mapping[str, float]) -> Region:
    """The region moved by a number along each of these coordinates."""
    _require(region, *by)
    return region.rebuilt(Mover(shifted({name: number(value, f"the shift of {name}") for name, value in by.items()})))


def rotated(region: Region, angle: float, plane: tuple[str, str], about: tuple[float, float]) -> Region:
    """The region turned by an angle in the plane of two coordinates."""
    _require(region, *plane)
    if plane[0] == plane[1]:
        raise UserError(f"a region is turned in the plane of two coordinates, not {plane[0]} and {plane[1]}")
    first, second = (number(value, "the place to turn about") for value in pair(about, "the place to turn about"))
    return region.rebuilt(Mover(turn(number(angle, "the angle"), plane, (first, second))))


def scaled(region: Region, factor: float | None, factors: Mapping[str, float]) -> Region:
    """The region with all coordinates times a factor, or each of some times its own."""
    if (factor is None) == (not factors):
        raise UserError("scaled takes one factor for all coordinates, or one for each: scaled(2.0) or scaled(x=2.0)")
    _require(region, *factors)
    each = dict.fromkeys(region.names, factor) if factor is not None else dict(factors)
    checked = {name: number(value, f"the factor of {name}") for name, value in each.items()}
    if 0 in checked.values():
        raise UserError("a factor of 0 leaves nothing of a region")
    return region.rebuilt(Mover(stretched(checked)))


def revolved(region: Region, radius: str, into: tuple[str, str]) -> Region:
    """The solid of revolution of a profile."""
    _require(region, radius)
    taken = [name for name in into if name in region.names and name != radius]
    if len(set(into)) != 2 or taken:
        raise UserError(f"a revolution needs two new coordinate names across its axis, not {into!r}")
    return region.rebuilt(Revolving(radius, into))


def _require(region: Region, *names: str) -> None:
    missing = [name for name in names if name not in region.names]
    if missing:
        raise UserError(f"the region has no coordinate {missing[0]!r}; its coordinates are {', '.join(region.names)}")
