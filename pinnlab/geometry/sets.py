"""Unions, differences and intersections.

Polygons are combined exactly. Everything else is sampled by rejection: points of the first region that fail
the test are dropped and the sample is enlarged until enough are left. A source makes this deterministic.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import cached_property

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.polygon import Polygon
from pinnlab.geometry.region import Points, Region, Source, concatenate, divide, select, size

_PILOT = 4096
"""Points of the quasi-random sample that estimates what part of a region passes a test."""

_MOST = 2**20
"""Candidates, or 64 for each point asked, after which a region is taken to be empty."""


class Union(Region):
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

    @property
    def dimension(self) -> int:
        """The dimension of the parts."""
        return self.parts[0].dimension

    @property
    def measure(self) -> float:
        """The sum of the parts' measures."""
        return sum(part.measure for part in self.parts)

    def contains(self, points: Points) -> Tensor:
        """Which points lie in some part."""
        return torch.stack([part.contains(points) for part in self.parts]).any(0)

    def place(self, n: int, source: Source) -> Points:
        """Points of all parts, each with a source of its own."""
        # Given points come whole and need no share of n.
        counts = [n] * len(self.parts) if self.dimension == 0 else divide(n, [p.measure for p in self.parts])
        placed = [
            part.place(count, source.split(index))
            for index, (part, count) in enumerate(zip(self.parts, counts, strict=True))
        ]
        return concatenate(placed)


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
        """Estimated from 4096 quasi-random points of the base; exact for given points."""
        pilot = self.base.place(_PILOT, _Pilot())
        return self.base.measure * float(self.passes(pilot).double().mean())

    def contains(self, points: Points) -> Tensor:
        """Which points lie in the base and pass the test."""
        return self.base.contains(points) & self.passes(points)

    def place(self, n: int, source: Source) -> Points:
        """The points of a larger sample of the base that pass the test."""
        if isinstance(self.base, Union):
            # Part by part, lest a cut at n points falls on the last part alone.
            return Union(*self._by_part(self.base)).place(n, source)
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

    def _by_part(self, base: Union) -> list[Region]:
        kept: list[Region] = [self._on(part) for part in base.parts]
        return [part for part in kept if part.measure > 0] or kept

    @abstractmethod
    def _on(self, base: Region) -> Rejection:
        """The same test on another base."""


class Difference(Rejection):
    """The points of a region that are in none of the removed ones."""

    def __init__(self, base: Region, removed: Region) -> None:
        """Take a region and what is cut out of it; the coordinates of the latter are among the former's.

        Raises:
            UserError: the removed region has coordinates that the base lacks.
        """
        _require_coordinates(base, removed)
        self.base, self.removed, self.names = base, removed, base.names

    def passes(self, points: Points) -> Tensor:
        """Which points are not in the removed region."""
        return ~self.removed.contains(points)

    def _on(self, base: Region) -> Rejection:
        return Difference(base, self.removed)


class Intersection(Rejection):
    """The points of a region that are in another one too."""

    def __init__(self, base: Region, other: Region) -> None:
        """Take a region to sample and another that keeps some of its points.

        Raises:
            UserError: the other region has coordinates that the base lacks.
        """
        _require_coordinates(base, other)
        self.base, self.other, self.names = base, other, base.names

    def passes(self, points: Points) -> Tensor:
        """Which points are in the other region."""
        return self.other.contains(points)

    def _on(self, base: Region) -> Rejection:
        return Intersection(base, self.other)


def union(first: Region, second: Region) -> Region:
    """The points of either region, `first | second`, none of them twice as often."""
    if isinstance(first, Polygon) and isinstance(second, Polygon):
        return first.combined(second, "union")
    if first.dimension == 0:
        return Union(first, second)
    return Union(first, Difference(second, first))


def difference(first: Region, second: Region) -> Region:
    """The points of the first region that are not in the second, `first - second`."""
    if isinstance(first, Polygon) and isinstance(second, Polygon):
        return first.combined(second, "difference")
    return Difference(first, second)


def intersection(first: Region, second: Region) -> Region:
    """The points in both regions, `first & second`, sampled from the one of lower dimension or measure."""
    if isinstance(first, Polygon) and isinstance(second, Polygon):
        return first.combined(second, "intersection")
    swap = set(first.names) == set(second.names) and (
        (second.dimension, second.measure) < (first.dimension, first.measure)
    )
    return Intersection(second, first) if swap else Intersection(first, second)


class _Pilot(Source):
    """A fixed scrambled Sobol sequence."""

    nested = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def unit(self, n: int, dimension: int) -> Tensor:
        if dimension == 0:
            return torch.zeros(n, 0)
        engine = torch.quasirandom.SobolEngine(dimension, scramble=True, seed=self.seed)
        return engine.draw(n, dtype=torch.get_default_dtype())

    def split(self, index: int) -> _Pilot:
        return _Pilot(31 * self.seed + index + 1)


def _require_coordinates(base: Region, other: Region) -> None:
    missing = [name for name in other.names if name not in base.names]
    if missing:
        raise UserError(
            f"the regions have different coordinates: {', '.join(missing)} not among {', '.join(base.names)}"
        )
