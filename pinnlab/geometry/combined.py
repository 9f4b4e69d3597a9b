"""Combined regions: unions, differences and intersections.

They are sampled by rejection: points of the first region that fail the test are dropped, and the sample is enlarged
until enough points remain. A source makes the sample deterministic.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, concatenate, divide, select, size
from pinnlab.geometry.region import Region
from pinnlab.geometry.shapes.points import Point, PointSet
from pinnlab.geometry.source import PILOT, Pilot, Source, enough


class Joined(Region):
    """Several parts that overlap at most in sets of measure zero; points are split in proportion to their measures.

    Example:
        >>> from pinnlab.geometry import Box
        >>> sides = Box(x=(0, 3), y=(0, 1)).faces("x", "y")
        >>> isinstance(sides, Joined), sides.measure
        (True, 8.0)
    """

    parts: Sequence[Region]

    @property
    def dimension(self) -> int:
        """The dimension of the parts."""
        return self.parts[0].dimension

    @property
    def measure(self) -> float:
        """The sum of the parts' measures."""
        return sum(part.measure for part in self.parts)

    @property
    def extent(self) -> Ends:
        """From the least to the greatest of the parts' ends."""
        ends = [part.extent for part in self.parts]
        return {
            name: (
                torch.stack([each[name][0] for each in ends]).amin(0),
                torch.stack([each[name][1] for each in ends]).amax(0),
            )
            for name in self.names
        }

    def solids(self) -> list[Region]:
        """The solids of the parts."""
        return [solid for part in self.parts for solid in part.solids()]

    def rebuilt(self, change: Callable[[Region], Region]) -> Region:
        """The union of the parts, rebuilt."""
        return Union(*(part.rebuilt(change) for part in self.parts))

    def contains(self, points: Points) -> Tensor:
        """Which points lie in some part."""
        return torch.stack([part.contains(points) for part in self.parts]).any(0)

    def place(self, n: int, source: Source) -> Points:
        """Points of all parts that have any, each with a source of its own."""
        measures = [part.measure for part in self.parts]
        # the part b − a of a | b is empty if b lies in a; if all parts are empty, the first one raises the error
        filled = [index for index, measure in enumerate(measures) if measure > 0] or [0]
        # Given points come whole and need no share of n.
        counts = [n] * len(filled) if self.dimension == 0 else divide(n, [measures[index] for index in filled])
        return concatenate(
            [self.parts[index].place(count, source.split(index)) for index, count in zip(filled, counts, strict=True)]
        )

    def within(self, name: str, low: float, high: float) -> Region | None:
        """The parts between the numbers."""
        found = [part.within(name, low, high) for part in self.parts]
        kept = [part for part in found if part is not None]
        return joined(kept) if kept else None

    def face(self, name: str, value: float) -> Region:
        """The faces of the parts whose extent contains the value."""
        having = [part for part in self.parts if name in part.names and _reaches(part, name, value)]
        if not having:
            raise UserError(f"no part of the union has a face {name} = {value:g}")
        return Union(*(part.face(name, value) for part in having))


class Union(Joined):
    """Several regions of one dimension that overlap at most in sets of measure zero, as faces do.

    For regions that overlap write `a | b`, which counts the common part once.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> Union(Interval(x=(0, 1)), Interval(x=(3, 5))).measure
        3.0
        >>> (Interval(x=(0, 2)) | Interval(x=(1, 3))).measure
        3.0
    """

    def __init__(self, *parts: Region) -> None:
        """Take the parts.

        Raises:
            UserError: no parts, or parts that differ in coordinates, in dimension or in their column of noise.
        """
        if not parts:
            raise UserError("a union needs at least one part")
        for part in parts[1:]:
            if set(part.names) != set(parts[0].names):
                raise UserError(
                    f"the parts of a union must have the same coordinates; got {parts[0].names} and {part.names}"
                )
            if part.dimension != parts[0].dimension:
                raise UserError(
                    f"the parts of a union must have the same dimension; got {parts[0].dimension} and {part.dimension}"
                )
        if len({part.noise for part in parts}) > 1:
            raise UserError("the parts of a union must have their noise in columns of one name, or none of them any")
        self.parts = parts
        self.names, self.noise = parts[0].names, parts[0].noise


class Rejection(Region):
    """The points of a base region that pass a test.

    Example:
        >>> from pinnlab.geometry import Box, Disc
        >>> isinstance(Box(x=(-1, 1), y=(-1, 1)) - Disc(), Rejection)
        True
    """

    base: Region

    @abstractmethod
    def passes(self, points: Points) -> Tensor:
        """Which points of the base belong to the region, booleans `(N,)`."""

    @property
    def dimension(self) -> int:
        """The dimension of the base."""
        return self.base.dimension

    @cached_property
    def measure(self) -> float:
        """The measure of the base times the share of 4096 quasi-random points that pass.

        A joined base is estimated part by part. The measure is exact for given points, and if all points pass.
        """
        if isinstance(self.base, Joined):
            return self._pieces.measure
        pilot = self.base.place(PILOT, Pilot())
        return self.base.measure * float(self.passes(pilot).double().mean())

    def contains(self, points: Points) -> Tensor:
        """Which points lie in the base and pass the test."""
        return self.base.contains(points) & self.passes(points)

    def place(self, n: int, source: Source) -> Points:
        """The points of a larger sample of the base that pass the test."""
        if isinstance(self.base, Joined):
            # Part by part: otherwise a cut at n points would remove points of the last part alone.
            return self._pieces.place(n, source)
        kind = f"the {type(self).__name__.lower()} of regions"
        if self.dimension:
            return enough(n, source, lambda count: self._passing(count, source), kind)
        points = self._passing(n, source)
        if not size(points):
            raise UserError(f"{kind} has (almost) no points; is it empty?")
        return points

    def _passing(self, candidates: int, source: Source) -> Points:
        points = self.base.place(candidates, source)
        return select(points, self.passes(points))

    @property
    def extent(self) -> Ends:
        """The extent of the base."""
        return self.base.extent

    def within(self, name: str, low: float, high: float) -> Region | None:
        """The points of the base between the numbers that pass the test; None if none of 4096 of them does."""
        base = self.base.within(name, low, high)
        part = None if base is None else self.on(base)
        return part if part is not None and part.measure > 0 else None

    def face(self, name: str, value: float) -> Region:
        """The points of the base's face that pass the test."""
        return self.on(self.base.face(name, value))

    @cached_property
    def _pieces(self) -> Union:
        assert isinstance(self.base, Joined)
        return Union(*(self.on(part) for part in self.base.parts))

    @abstractmethod
    def on(self, base: Region) -> Rejection:
        """The same test on another base."""


class Compared(Rejection):
    """The points of a region that are chosen by their membership of another one.

    Example:
        >>> from pinnlab.geometry import Disc, Interval
        >>> region = Interval(t=(0, 1)) * (Disc() - Disc(radius=0.5))
        >>> isinstance(region, Compared), len(region.solids())
        (True, 2)
    """

    def __init__(self, base: Region, other: Region) -> None:
        """Take a region to sample and another whose coordinates are among the former's.

        Raises:
            UserError: the other region has coordinates that the base lacks.
        """
        _require_coordinates(base, other)
        self.base, self.other, self.names, self.noise = base, other, base.names, base.noise

    def on(self, base: Region) -> Rejection:
        """Compared with the same other region."""
        return type(self)(base, self.other)

    def rebuilt(self, change: Callable[[Region], Region]) -> Region:
        """The same of both regions, rebuilt."""
        return type(self)(self.base.rebuilt(change), self.other.rebuilt(change))

    def solids(self) -> list[Region]:
        """The solids of both regions."""
        return [*self.base.solids(), *self.other.solids()]


class Difference(Compared):
    """The points of a region that are not in the other one.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> Difference(Interval(x=(0, 1)), Interval(x=(0.25, 2))).contains({"x": torch.tensor([0.1, 0.5])})
        tensor([ True, False])
    """

    def passes(self, points: Points) -> Tensor:
        """Which points are not in the other region."""
        return ~self.other.contains(points)


class Intersection(Compared):
    """The points of a region that are in the other one too.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> Intersection(Interval(x=(0, 1)), Interval(x=(0.25, 2))).contains({"x": torch.tensor([0.1, 0.5])})
        tensor([False,  True])
    """

    def passes(self, points: Points) -> Tensor:
        """Which points are in the other region."""
        return self.other.contains(points)


def joined(parts: Sequence[Region]) -> Region:
    """The union of surfaces: of single points a `PointSet`, of one surface the surface itself."""
    points = [part for part in parts if isinstance(part, Point)]
    if len(points) == len(parts):
        rows = [point.coordinates | point.columns for point in points]
        return PointSet(**{name: [row[name] for row in rows] for name in rows[0]})
    return parts[0] if len(parts) == 1 else Union(*parts)


def axes(region: Region) -> int:
    """The number of a region's coordinates, the components of vectors counted."""
    return sum(lower.numel() for lower, _ in region.extent.values())


def _reaches(region: Region, name: str, value: float) -> bool:
    lower, upper = region.extent[name]
    return bool((lower <= value).all() and (value <= upper).all())


def _require_coordinates(base: Region, other: Region) -> None:
    missing = [name for name in other.names if name not in base.names]
    if missing:
        raise UserError(
            f"the regions have different coordinates: {', '.join(missing)} not among {', '.join(base.names)}"
        )
