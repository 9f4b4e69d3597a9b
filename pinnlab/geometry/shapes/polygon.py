"""Polygons, with holes and in several pieces, and their boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import shapely
import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, coordinate_names, tolerance
from pinnlab.geometry.region import Region
from pinnlab.geometry.scattered import Parametrised
from pinnlab.geometry.shapes.pieces import choose, cumulative, in_triangles

Vertices = Sequence[tuple[float, float]]


class Polygon(Parametrised):
    """A polygon with vertices in order, and holes.

    A triangulation maps the unit square to its points, so that they are exactly uniform for polygons of any shape.
    Unions, differences and intersections of two polygons are exact polygons.

    Example:
        >>> corner = Polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
        >>> corner.measure, (corner & Polygon([(0, 0), (2, 0), (2, 2), (0, 2)])).measure, corner.boundary.measure
        (3.0, 3.0, 8.0)
    """

    dimension = 2

    def __init__(self, vertices: Vertices, holes: Sequence[Vertices] = (), names: tuple[str, str] = ("x", "y")) -> None:
        """Take the vertices, either way round, the holes' vertices, and the names of the two coordinates.

        Raises:
            UserError: fewer than three vertices, sides that cross, a hole outside, or no area.
        """
        try:
            shape = shapely.Polygon(vertices, holes)
        except (ValueError, TypeError, shapely.errors.ShapelyError) as error:
            raise UserError(f"these vertices make no polygon: {error}") from None
        self._take(shape, names)

    @classmethod
    def of(cls, shape: shapely.Geometry, names: Sequence[str] = ("x", "y")) -> Polygon:
        """The polygon of a shapely `Polygon` or `MultiPolygon`.

        Raises:
            UserError: the shape is invalid or has no area.
        """
        polygon = cls.__new__(cls)
        polygon._take(shape, names)
        return polygon

    def _take(self, shape: shapely.Geometry, names: Sequence[str]) -> None:
        self.names = coordinate_names(names, 2)
        if not shapely.is_valid(shape):
            raise UserError(f"these vertices make no polygon: {shapely.is_valid_reason(shape)}")
        if not shape.area > 0:
            raise UserError("these vertices make no polygon: it has no area")
        pieces = [piece for piece in shapely.get_parts(shape) if piece.area > 0]
        # Outer rings counter-clockwise, holes clockwise: the inside is on the left of every side.
        self.shape = shapely.MultiPolygon([shapely.orient_polygons(piece) for piece in pieces])
        triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(self.shape))
        # (T, 3, 2): the corners of each triangle.
        self._corners = torch.from_numpy(np.stack([shapely.get_coordinates(t)[:3] for t in triangles]))
        a, b, c = self._corners.unbind(1)
        self._shares = cumulative(((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).abs())

    @property
    def measure(self) -> float:
        """The area."""
        return float(self.shape.area)

    @property
    def extent(self) -> Ends:
        """The rectangle around it."""
        corners = self._corners.flatten(0, 1)
        lower, upper = corners.amin(0), corners.amax(0)
        return {name: (lower[i], upper[i]) for i, name in enumerate(self.names)}

    def surfaces(self) -> list[Parametrised]:
        """All sides, including the sides of holes, as one curve."""
        return [Outline(self)]

    def near(self, shape: shapely.Geometry, points: Points) -> Tensor:
        """Which points touch a shape up to rounding, `(N,)`."""
        columns = [points[name] for name in self.names]
        slack = tolerance(columns[0], float(self._corners.abs().max()))
        places = shapely.points(*(column.detach().double().cpu().numpy() for column in columns))
        return torch.from_numpy(np.asarray(shapely.dwithin(shape, places, slack))).to(columns[0].device)

    def contains(self, points: Points) -> Tensor:
        """Which points are inside or on a side."""
        shapely.prepare(self.shape)
        return self.near(self.shape, points)

    def map(self, unit: Tensor) -> Points:
        """The first number chooses a triangle in proportion to its area; its remainder is the first parameter there."""
        triangle, a = choose(self._shares.to(unit), unit[:, 0])
        x, y = in_triangles(self._corners.to(unit)[triangle], a, unit[:, 1]).unbind(1)
        return {self.names[0]: x, self.names[1]: y}

    def __or__(self, other: Region) -> Region:
        """The exact union with another polygon; with any other region that of all regions."""
        return self.combined(other, "union") if isinstance(other, Polygon) else super().__or__(other)

    def __and__(self, other: Region) -> Region:
        """The exact intersection with another polygon; with any other region that of all regions."""
        return self.combined(other, "intersection") if isinstance(other, Polygon) else super().__and__(other)

    def __sub__(self, other: Region) -> Region:
        """The exact difference from another polygon; with any other region that of all regions."""
        return self.combined(other, "difference") if isinstance(other, Polygon) else super().__sub__(other)

    def combined(self, other: Polygon, operation: Literal["union", "difference", "intersection"]) -> Polygon:
        """The exact union, difference or intersection of two polygons.

        Raises:
            UserError: they have different coordinates, or nothing is left.
        """
        if self.names != other.names:
            raise UserError(f"the polygons have different coordinates: {self.names} and {other.names}")
        slack = 4 * tolerance(self._corners, max(*self.scales.values(), *other.scales.values()))
        # corners that rounding moved off the other polygon's sides would leave a slit between them
        theirs = shapely.snap(other.shape, self.shape, slack)
        ours = shapely.snap(self.shape, theirs, slack)
        shape = getattr(shapely, operation)(ours, theirs)
        # Polygons that only touch leave points and lines.
        pieces = [piece for piece in shapely.get_parts(shape) if piece.area > 0]
        if not pieces:
            raise UserError(f"the {operation} of the polygons is empty")
        return Polygon.of(shapely.MultiPolygon(pieces), self.names)


class Outline(Parametrised):
    """The sides of a polygon, by arc length, with columns `normal_x`, `normal_y` (named after the coordinates).

    Example:
        >>> sides = Polygon([(0, 0), (1, 0), (1, 1), (0, 1)]).boundary
        >>> {name: column.tolist() for name, column in sides.map(torch.tensor([[0.125]])).items()}
        {'x': [0.5], 'y': [0.0], 'normal_x': [0.0], 'normal_y': [-1.0]}
    """

    dimension = 1

    def __init__(self, polygon: Polygon) -> None:
        """Take the polygon that it bounds."""
        self.polygon = polygon
        self.names = polygon.names
        rings = [
            torch.from_numpy(shapely.get_coordinates(ring))
            for piece in polygon.shape.geoms
            for ring in (piece.exterior, *piece.interiors)
        ]
        self._starts = torch.cat([ring[:-1] for ring in rings])
        self._sides = torch.cat([ring.diff(dim=0) for ring in rings])
        lengths = self._sides.norm(dim=1)
        # The inside is on the left of each side, so the outward normal is on its right.
        self._normals = torch.stack([self._sides[:, 1], -self._sides[:, 0]], dim=1) / lengths[:, None]
        self._shares = cumulative(lengths)

    @property
    def extent(self) -> Ends:
        """The rectangle around it."""
        return self.polygon.extent

    @property
    def measure(self) -> float:
        """The length of all sides."""
        return float(self.polygon.shape.length)

    def contains(self, points: Points) -> Tensor:
        """Which points are on a side."""
        return self.polygon.near(self.polygon.shape.boundary, points)

    def map(self, unit: Tensor) -> Points:
        """The point at the fraction u of the whole length; a corner has the normal of the next side."""
        side, along = choose(self._shares.to(unit), unit[:, 0])
        place = self._starts.to(unit)[side] + along[:, None] * self._sides.to(unit)[side]
        normal = self._normals.to(unit)[side]
        columns = {name: place[:, i] for i, name in enumerate(self.names)}
        return columns | {f"normal_{name}": normal[:, i] for i, name in enumerate(self.names)}
