"""Regions: sets of points that can be sampled.

A region maps uniform numbers to its points. The uniform numbers come from a `Source`, which the samplers supply.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points
from pinnlab.geometry.source import PILOT as PILOT
from pinnlab.geometry.source import Pilot as Pilot
from pinnlab.geometry.source import Source as Source


class Region(ABC):
    """A set of points with named coordinates; `|`, `&`, `-` and `*` combine regions.

    A new kind of region is one class; see `Parametrised` for regions that are the image of a unit cube.

    Example:
        >>> import torch
        >>> from pinnlab.geometry import Box, Disc, Interval
        >>> plate = Box(x=(-1, 1), y=(-1, 1)) - Disc(radius=0.5)
        >>> cylinder = Interval(t=(0, 1)) * plate
        >>> cylinder.names, cylinder.dimension
        (('x', 'y', 't'), 3)
        >>> plate.boundary.contains({"x": torch.tensor([0.5, 0.9]), "y": torch.tensor([0.0, 0.0])})
        tensor([ True, False])
    """

    names: tuple[str, ...]
    """The coordinates of its points."""

    noise: str | None = None
    """The column with the standard deviation of each measurement, by which rows of a constraint are divided."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """The number of parameters of a point, 0 for given points, 1 for a curve, 2 for a surface."""

    @property
    @abstractmethod
    def measure(self) -> float:
        """Length, area or volume; the number of points for dimension 0."""

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
        """Whether the points are given, so that a sample of any size has all of them."""
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
        """The number to ask `place` for to have about n points: smaller than n if one unit is a group of points."""
        return n

    @property
    def extent(self) -> Ends:
        """The least and the greatest value of each coordinate, float64: `()` each, `(d,)` for a vector.

        By default of 4096 quasi-random points; regions that know their ends return them exactly.
        """
        points = self.place(PILOT, Pilot())
        return {name: (points[name].double().amin(0), points[name].double().amax(0)) for name in self.names}

    @property
    def scales(self) -> dict[str, float]:
        """Coordinate ↦ the size to which its rounding errors are proportional: the largest value of all coordinates.

        Regions that treat their coordinates one by one, as boxes do, return a size for each.
        """
        largest = max(1.0, *(float(end.abs().max()) for ends in self.extent.values() for end in ends))
        return dict.fromkeys(self.names, largest)

    @property
    def boundary(self) -> Region:
        """The boundary, with the outward normal as columns: `normal_x`, … for each coordinate.

        The boundary of a combined region consists of those parts of the operands' boundaries that have the region on
        one side alone.

        Raises:
            UserError: the region is a curve in the plane, a surface in space or given points.
        """
        from pinnlab.geometry.sets import border

        return border(self)

    def surfaces(self) -> Sequence[Region]:
        """The pieces of the boundary of a solid that is no combination, with outward normals.

        Raises:
            UserError: its kind has none.
        """
        kind = type(self).__name__
        raise UserError(f"a {kind} does not say what bounds it: give it a method surfaces(), of surfaces with normals")

    def solids(self) -> list[Region]:
        """The regions that this one is combined from; a region that is no combination returns itself."""
        return [self]

    def rebuilt(self, change: Callable[[Region], Region]) -> Region:
        """The same combination of changed regions; a region that is no combination is changed itself."""
        return change(self)

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

    def within(self, name: str, low: float, high: float) -> Region | None:
        """The part of the region where a coordinate lies between two numbers, as a window in time; None if it is empty.

        Args:
            name: A scalar coordinate that other coordinates do not depend on. A region without it is returned whole.
            low: The least value.
            high: The greatest value.

        Raises:
            UserError: if the region cannot be cut along the coordinate.
        """
        if name not in self.names:
            return self
        raise UserError(f"a {type(self).__name__} cannot be cut along {name}: boxes can, and products with them")

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

    def translated(self, **by: float) -> Region:
        """The region moved by a number along each of these coordinates: `ball.translated(x=1.0)`.

        Raises:
            UserError: no such coordinate, or no number.
        """
        from pinnlab.geometry.sets import translated

        return translated(self, by)

    def rotated(self, angle: float, first: str, second: str, about: tuple[float, float] = (0.0, 0.0)) -> Region:
        """The region turned in the plane of two coordinates, as about the z-axis by `box.rotated(0.3, "x", "y")`.

        Args:
            angle: The angle in radians, from the first coordinate's axis to the second's.
            first: A coordinate.
            second: Another one.
            about: The place in their plane that stays.

        Raises:
            UserError: no such coordinates, or no numbers.
        """
        from pinnlab.geometry.sets import rotated

        return rotated(self, angle, (first, second), about)

    def scaled(self, factor: float | None = None, **factors: float) -> Region:
        """The region with all coordinates times a factor, or each times its own: `ball.scaled(x=2.0)` is an ellipsoid.

        Raises:
            UserError: no such coordinate, or a factor that is no number or 0.
        """
        from pinnlab.geometry.sets import scaled

        return scaled(self, factor, factors)

    def revolved(self, radius: str, into: tuple[str, str] = ("x", "y")) -> Region:
        """The solid of revolution: one coordinate becomes the distance from an axis.

        Args:
            radius: The coordinate that becomes the distance; what lies at its negative values is left out.
            into: The names of the two coordinates across the axis.

        Raises:
            UserError: no such coordinate, nothing at positive values, or a name that is taken.
        """
        from pinnlab.geometry.sets import revolved

        return revolved(self, radius, into)
