"""Level functions: smooth functions that vanish on a surface, and nowhere inside of the region that it bounds.

On boxes and balls they are polynomials. On polygons they are products of the distances from the sides; at a corner that
points inwards two sides are joined by an R-function, a + b + √(a² + b²), which is positive where a or b is (Rvachev
1982; Shapiro 2007, Semi-analytic geometry with R-functions).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import shapely
import torch

from pinnlab.geometry.border import Side
from pinnlab.geometry.columns import Points
from pinnlab.geometry.product import Product
from pinnlab.geometry.region import Region
from pinnlab.geometry.shapes.ball import Sphere
from pinnlab.geometry.shapes.points import Point
from pinnlab.geometry.shapes.polygon import Outline

Level = Callable[[Mapping[str, Any]], Any]
"""A function of coordinates by name: tensors or fields `(N,)` ↦ `(N,)`."""


def shape_of(surface: Region) -> Region:
    """The factor of a surface that bounds, without the coordinates along which it is extended: a cylinder's circle."""
    while isinstance(surface, Side):
        surface = surface.surface
    if not isinstance(surface, Product):
        return surface
    shapes = [factor for factor in surface.factors if isinstance(factor, Point | Sphere | Outline)]
    return shapes[0] if len(shapes) == 1 else surface


def axis_face(surface: Region) -> tuple[str, float] | None:
    """The coordinate that is constant on a surface and its value; None if there is no such coordinate."""
    shape = shape_of(surface)
    if not isinstance(shape, Point) or len(shape.coordinates) != 1:
        return None
    return next(iter(shape.coordinates.items()))


def level(surface: Region, inside: Points) -> Level | None:
    """A function that vanishes on a surface and is positive in a region beside it.

    Args:
        surface: A piece of the region's boundary.
        inside: Points of the region, from which sign and size are taken.

    Returns:
        The function, at most 1 at these points; None for a surface of an unknown kind, or one that cuts the region.
    """
    shape = shape_of(surface)
    face = axis_face(surface)
    if face is not None:
        found: Level | None = _Plane(*face)
    elif isinstance(shape, Sphere):
        found = _Round(shape.names, shape.ball.center, shape.ball.radius)
    elif isinstance(shape, Outline):
        found = _outline(shape.polygon.shape, shape.names)
    else:
        found = None
    if found is None:
        return None
    values = found(inside)
    sign = 1.0 if values.mean() > 0 else -1.0
    size = float(values.abs().max())
    # on the surface itself the sign is that of rounding
    if size == 0 or float((sign * values).min()) < -1e-9 * size:
        return None
    return Together((found,), sign / size)


@dataclass(frozen=True)
class Together:
    """The product of level functions, times a factor.

    Example:
        >>> parabola = Together((lambda columns: columns["x"], lambda columns: 1 - columns["x"]), factor=4.0)
        >>> parabola({"x": torch.tensor([0.0, 0.5, 1.0])})
        tensor([0., 1., 0.])
    """

    levels: tuple[Level, ...]
    factor: float = 1.0

    def __call__(self, columns: Mapping[str, Any]) -> Any:
        """The product at points."""
        return reduce(lambda a, b: a * b, [level(columns) for level in self.levels]) * self.factor


@dataclass(frozen=True)
class _Plane:
    name: str
    value: float

    def __call__(self, columns: Mapping[str, Any]) -> Any:
        return columns[self.name] - self.value


@dataclass(frozen=True)
class _Round:
    names: tuple[str, ...]
    center: tuple[float, float]
    radius: float

    def __call__(self, columns: Mapping[str, Any]) -> Any:
        found = self.radius * self.radius
        for name, c in zip(self.names, self.center, strict=True):
            found = found - (columns[name] - c) * (columns[name] - c)
        return found


Line = tuple[float, float, float]
"""The coefficients of a x + b y + c."""


@dataclass(frozen=True)
class _Straight:
    """The product of joined lines."""

    names: tuple[str, ...]
    factors: tuple[tuple[Line, ...], ...]

    def __call__(self, columns: Mapping[str, Any]) -> Any:
        x, y = (columns[name] for name in self.names)
        parts = [reduce(_either, [a * x + b * y + c for a, b, c in lines]) for lines in self.factors]
        return reduce(lambda p, q: p * q, parts)


def _outline(shape: shapely.MultiPolygon, names: tuple[str, ...]) -> Level | None:
    """The product of the distances from the sides; the sides of a pocket or a hole are joined by R-functions.

    None if a pocket or a hole is not convex.
    """
    if len(shape.geoms) != 1:
        return None
    polygon = shape.geoms[0]
    outer = shapely.Polygon(polygon.exterior)
    hull = shapely.orient_polygons(outer.convex_hull)
    pockets = [piece for piece in shapely.get_parts(hull.difference(outer)) if piece.area > 1e-12 * hull.area]
    pockets += [shapely.Polygon(ring) for ring in polygon.interiors]
    # within rounding a convex piece is its own hull
    if any(piece.convex_hull.area > (1 + 1e-9) * piece.area for piece in pockets):
        return None
    size = math.sqrt(hull.area)
    factors: list[tuple[Line, ...]] = [(line,) for line in _lines(hull, outer, size)]
    factors += [
        tuple((-a, -b, -c) for a, b, c in _lines(shapely.orient_polygons(piece), polygon, size)) for piece in pockets
    ]
    return _Straight(names, tuple(factors))


def _lines(piece: shapely.Polygon, polygon: shapely.Polygon, size: float) -> list[Line]:
    """The lines through those sides of a piece that bound a polygon, positive inside of the piece.

    a x + b y + c is the distance over the size.
    """
    found = []
    for start, end in itertools.pairwise(shapely.get_coordinates(piece.exterior)):
        middle = shapely.Point((start + end) / 2)
        # a side that does not bound the polygon is a lid over a pocket
        if polygon.boundary.distance(middle) < 1e-9 * size:
            a, b = np.array([start[1] - end[1], end[0] - start[0]]) / np.linalg.norm(end - start) / size
            found.append((float(a), float(b), -float(a * start[0] + b * start[1])))
    return found


def _either(a: Any, b: Any) -> Any:
    """Positive where a or b is, and zero where the larger is."""
    return a + b + torch.sqrt(a * a + b * b)
