"""Regions: sets of points that can be sampled.

A region owns the way from uniform numbers to its points; where the uniform numbers come from (a grid, a
quasi-random sequence, a random generator) is the business of a `Source`, which the samplers supply.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points

PILOT = 4096
"""Points of the quasi-random sample that estimates what is not known of a region: its extent, the share of a part."""


class Source(ABC):
    """Supplies points of the unit cube; pure: the same call gives the same points."""

    nested: bool
    """Whether the first points of a larger sample are themselves a sample (a grid's are not)."""

    @abstractmethod
    def unit(self, n: int, dimension: int) -> Tensor:
        """About n points of the unit cube, `(n, dimension)`, in the default dtype."""

    @abstractmethod
    def split(self, index: int) -> Source:
        """An independent source for part `index` of a region made of parts."""


class Pilot(Source):
    """A fixed scrambled Sobol sequence."""

    nested = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def unit(self, n: int, dimension: int) -> Tensor:
        """The first n points."""
        if dimension == 0:
            return torch.zeros(n, 0)
        engine = torch.quasirandom.SobolEngine(dimension, scramble=True, seed=self.seed)
        return engine.draw(n, dtype=torch.get_default_dtype())

    def split(self, index: int) -> Pilot:
        """Another scramble."""
        return Pilot(31 * self.seed + index + 1)


class Region(ABC):
    """A set of points with named coordinates."""

    names: tuple[str, ...]
    """The coordinates of its points."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """How many numbers parametrise a point: 0 for given points, 1 for a curve, 2 for a surface."""

    @property
    @abstractmethod
    def measure(self) -> float:
        """Length, area, volume; the number of points where the dimension is 0."""

    @abstractmethod
    def contains(self, points: Points) -> Tensor:
        """Which points lie in the closed region, up to rounding; further columns are ignored.

        Args:
            points: columns of N points, the region's coordinates among them.

        Returns:
            Booleans `(N,)`.
        """

    @abstractmethod
    def place(self, n: int, source: Source) -> Points:
        """Points spread uniformly over the region.

        Args:
            n: how many; a grid may give a few more or less, given points are always all of them.
            source: where the uniform numbers come from.

        Returns:
            Columns of about n points, in the default dtype.

        Raises:
            UserError: the region has more parts than n, or no points at all.
        """

    @property
    def given(self) -> bool:
        """Whether its points are all given, however many are asked for."""
        return self.dimension == 0

    @property
    def refined(self) -> Region:
        """The region whose points a solution is judged at: itself, or the nodes of a finer quadrature rule."""
        return self

    @property
    def hull(self) -> Region:
        """The region of its single points, for pictures: itself, or the box that nodes of a rule lie in."""
        return self

    def units(self, n: int) -> int:
        """How many to ask `place` for in order to have about n points: fewer where there are several for each."""
        return n

    @property
    def extent(self) -> Ends:
        """The least and the greatest value of each coordinate, float64: `()` each, `(d,)` for a vector.

        Of quasi-random points here; what knows its ends gives them exactly.
        """
        points = self.place(PILOT, Pilot())
        return {name: (points[name].double().amin(0), points[name].double().amax(0)) for name in self.names}

    @property
    def scales(self) -> dict[str, float]:
        """What rounding in each coordinate is in proportion to: the largest value, of coordinates that are coupled."""
        largest = max(1.0, *(float(end.abs().max()) for ends in self.extent.values() for end in ends))
        return dict.fromkeys(self.names, largest)

    @property
    def boundary(self) -> Region:
        """The boundary, with the outward normal as columns: `normal_x`, … for each coordinate.

        Of a combined region it is those parts of the operands' boundaries where one comes from inside to outside.

        Raises:
            UserError: the region is a curve in the plane, a surface in space or given points.
        """
        from pinnlab.geometry.sets import border

        return border(self)

    def surfaces(self) -> Sequence[Parametrised]:
        """The pieces of the boundary of a solid that is no combination, with outward normals.

        Raises:
            UserError: its kind has none.
        """
        kind = type(self).__name__
        raise UserError(f"a {kind} does not say what bounds it: give it a method surfaces(), of surfaces with normals")

    def solids(self) -> list[Region]:
        """The regions that this one is combined from; itself, if it is no combination."""
        return [self]

    def face(self, name: str, value: float) -> Region:
        """The points of the region where one coordinate has a value, such as the start of a time.

        Args:
            name: a scalar coordinate that other coordinates do not depend on.
            value: its value there.

        Returns:
            A region of one dimension less, without normals.

        Raises:
            UserError: no such coordinate, a value outside of its bounds, or a shape that has no such faces.
        """
        raise UserError(f"a {type(self).__name__} has no face {name} = {value:g}: boxes have, and products with them")

    def faces(self, *names: str) -> Region:
        """Both faces of each of these axes; a box has them.

        Raises:
            UserError: the region is no box.
        """
        raise UserError(f"a {type(self).__name__} has no pairs of faces: take face(name, value), or the boundary")

    def __mul__(self, other: Region) -> Region:
        """All combinations of a point here and a point there: `Interval(t=(0, 1)) * (plate - hole)`."""
        from pinnlab.geometry.sets import product

        return product(self, other)

    def __or__(self, other: Region) -> Region:
        """The union."""
        from pinnlab.geometry.sets import union

        return union(self, other)

    def __and__(self, other: Region) -> Region:
        """The intersection."""
        from pinnlab.geometry.sets import intersection

        return intersection(self, other)

    def __sub__(self, other: Region) -> Region:
        """The points of this region that are not in the other one."""
        from pinnlab.geometry.sets import difference

        return difference(self, other)


class Parametrised(Region):
    """A region that is the image of a unit cube under a map of constant Jacobian determinant."""

    @abstractmethod
    def map(self, unit: Tensor) -> Points:
        """The points with these parameters; uniform numbers give uniform points.

        Args:
            unit: `(N, dimension)`, in [0, 1].

        Returns:
            Columns of N points.
        """

    def place(self, n: int, source: Source) -> Points:
        """The image of points of the unit cube."""
        return self.map(source.unit(n, self.dimension))
