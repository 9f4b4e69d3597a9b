"""Combined regions: unions, differences and intersections.

They are sampled by rejection: points of the first region that fail the test are dropped, and the sample is enlarged
until enough points remain. A source makes the sample deterministic.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, concatenate, divide, select, size
from pinnlab.geometry.region import PILOT, Pilot, Region, Source
from pinnlab.geometry.shapes.points import Point, PointSet

_MOST = 2**20
"""Candidates, or 64 for each point asked, after which a region is taken to be empty."""


class Joined(Region):
    """Several parts that overlap at most in sets of measure zero; points are split in proportion to their measures."""

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
        """Those of the parts."""
        return [solid for part in self.parts for solid in part.solids()]

    def contains(self, points: Points) -> Tensor:
        """Which points lie in some part."""
        return torch.stack([part.contains(points) for part in self.parts]).any(0)

    def place(self, n: int, source: Source) -> Points:
        """Points of all parts that have any, each with a source of its own."""
        measures = [part.measure for part in self.parts]
        # of a | b no part of b is left where b lies in a; where all are empty, the first one says so
        filled = [index for index, measure in enumerate(measures) if measure > 0] or [0]
        # Given points come whole and need no share of n.
        counts = [n] * len(filled) if self.dimension == 0 else divide(n, [measures[index] for index in filled])
        return concatenate(
            [self.parts[index].place(count, source.split(index)) for index, count in zip(filled, counts, strict=True)]
        )

    def face(self, name: str, value: float) -> Region:
        """The faces of those parts whose extent holds the value."""
        held = [part for part in self.parts if name in part.names and _holds(part, name, value)]
        if not held:
            raise UserError(f"no part of the union has a face {name} = {value:g}")
        return Union(*(part.face(name, value) for part in held))


class Union(Joined):
    """Several regions of one dimension that overlap at most in sets of measure zero, as faces do.

    `a | b` takes care of overlaps. Points are split among the parts in proportion to their measures.
    """

    def __init__(self, *parts: Region) -> None:
        """Take the parts.

        Raises:
            UserError: no parts, or parts that differ in coordinates or in dimension.
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
        self.parts = parts
        self.names = parts[0].names


class Rejection(Region):
    """Those points of a base region that pass a test."""

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
        """Estimated from 4096 quasi-random points of the base; exact for given points, and where all of them pass.

        Of a joined base part by part.
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
            # Part by part, lest a cut at n points falls on the last part alone.
            return self._pieces.place(n, source)
        candidates, most = n, max(_MOST, 64 * n)
        while True:
            points = self.base.place(candidates, source)
            points = select(points, self.passes(points))
            found = size(points)
            if self.dimension == 0 and found:
                return points
            if self.dimension and (found >= n or (found and not source.nested and candidates > n)):
                # A grid is kept whole, for cutting it would empty one side of the region.
                return select(points, slice(n)) if source.nested else points
            if self.dimension == 0 or candidates >= most:
                kind = type(self).__name__.lower()
                raise UserError(f"the {kind} of regions has (almost) no points; is it empty?")
            ratio = n / found if found else 4.0
            margin = 1.05 if source.nested else 1.0
            candidates = min(most, max(candidates + 1, math.ceil(candidates * ratio * margin)))

    @property
    def extent(self) -> Ends:
        """That of the base."""
        return self.base.extent

    def face(self, name: str, value: float) -> Region:
        """Those points of the base's face that pass the test."""
        return self.on(self.base.face(name, value))

    @cached_property
    def _pieces(self) -> Union:
        assert isinstance(self.base, Joined)
        return Union(*(self.on(part) for part in self.base.parts))

    @abstractmethod
    def on(self, base: Region) -> Rejection:
        """The same test on another base."""


class Compared(Rejection):
    """The points of a region chosen by whether they are in another one."""

    def __init__(self, base: Region, other: Region) -> None:
        """Take a region to sample and another whose coordinates are among the former's.

        Raises:
            UserError: the other region has coordinates that the base lacks.
        """
        _require_coordinates(base, other)
        self.base, self.other, self.names = base, other, base.names

    def on(self, base: Region) -> Rejection:
        """Compared with the same other region."""
        return type(self)(base, self.other)

    def solids(self) -> list[Region]:
        """Those of both regions."""
        return [*self.base.solids(), *self.other.solids()]


class Difference(Compared):
    """The points of a region that are not in the other one."""

    def passes(self, points: Points) -> Tensor:
        """Which points are not in the other region."""
        return ~self.other.contains(points)


class Intersection(Compared):
    """The points of a region that are in the other one too."""

    def passes(self, points: Points) -> Tensor:
        """Which points are in the other region."""
        return self.other.contains(points)


def joined(parts: Sequence[Region]) -> Region:
    """The union of surfaces; single points are put together as given points, one part remains what it is."""
    points = [part for part in parts if isinstance(part, Point)]
    if len(points) == len(parts):
        rows = [point.coordinates | point.columns for point in points]
        return PointSet(**{name: [row[name] for row in rows] for name in rows[0]})
    return parts[0] if len(parts) == 1 else Union(*parts)


def axes(region: Region) -> int:
    """The number of a region's coordinates, the components of vectors counted."""
    return sum(lower.numel() for lower, _ in region.extent.values())


def _holds(region: Region, name: str, value: float) -> bool:
    lower, upper = region.extent[name]
    return bool((lower <= value).all() and (value <= upper).all())


def _require_coordinates(base: Region, other: Region) -> None:
    missing = [name for name in other.names if name not in base.names]
    if missing:
        raise UserError(
            f"the regions have different coordinates: {', '.join(missing)} not among {', '.join(base.names)}"
        )
