"""Products of regions: cylinders, and the walls of a shape over a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, select
from pinnlab.geometry.combined import Joined, Rejection, Union
from pinnlab.geometry.region import Region
from pinnlab.geometry.scattered import Parametrised, Scattered
from pinnlab.geometry.shapes.points import PointSet


class Factored(Scattered):
    """All combinations of points of its factors, which are no combined regions.

    The normal of a factor becomes the normal of the product, with zeros for the coordinates of the other factors.

    Example:
        >>> from pinnlab.geometry import Disc, Interval
        >>> Factored(Interval(t=(0, 3)), Disc()).throw(torch.rand(2, 3))[0].keys()
        dict_keys(['t', 'x', 'y'])
    """

    def __init__(self, *factors: Scattered) -> None:
        """Take the factors.

        Raises:
            UserError: a coordinate occurs twice.
        """
        self.factors: tuple[Scattered, ...] = factors
        self.names = tuple(name for factor in factors for name in factor.names)
        if len(set(self.names)) < len(self.names):
            raise UserError(f"a coordinate occurs twice in the product: {', '.join(self.names)}")

    @property
    def dimension(self) -> int:
        """The sum of the factors' dimensions."""
        return sum(factor.dimension for factor in self.factors)

    @property
    def measure(self) -> float:
        """The product of the factors' measures."""
        return math.prod(factor.measure for factor in self.factors)

    @property
    def parameters(self) -> int:
        """The numbers of all factors."""
        return sum(factor.parameters for factor in self.factors)

    def throw(self, unit: Tensor) -> tuple[Points, Tensor]:
        """Each factor takes its own columns of the numbers, in order, of the rows that the former ones keep."""
        points: Points = {}
        rows, start = torch.arange(len(unit)), 0
        for factor in self.factors:
            found, kept = factor.throw(unit[rows, start : start + factor.parameters])
            points, rows = select(points, kept) | found, rows[kept]
            start += factor.parameters
        return _all_normals(points, self.names), rows

    def contains(self, points: Points) -> Tensor:
        """Which points lie in every factor."""
        return torch.stack([factor.contains(points) for factor in self.factors]).all(0)

    @property
    def extent(self) -> Ends:
        """The factors' extents together."""
        return {name: ends for factor in self.factors for name, ends in factor.extent.items()}

    @property
    def scales(self) -> dict[str, float]:
        """The scales of the factors."""
        return {name: scale for factor in self.factors for name, scale in factor.scales.items()}

    def surfaces(self) -> list[Scattered]:
        """A surface of one factor times the others: ∂(A × B) = ∂A × B ∪ A × ∂B."""
        return [
            factored(*self.factors[:i], surface, *self.factors[i + 1 :])
            for i, factor in enumerate(self.factors)
            for surface in factor.surfaces()
        ]

    def face(self, name: str, value: float) -> Region:
        """The face of the factor that has the coordinate, times the others."""
        for factor in self.factors:
            if name in factor.names:
                others = [other for other in self.factors if other is not factor]
                face = factor.face(name, value)
                return product(face, factored(*others)) if others else face
        raise UserError(f"the product has no coordinate {name!r}; its coordinates are {', '.join(self.names)}")

    def within(self, name: str, low: float, high: float) -> Region | None:
        """The part of the factor that has the coordinate, times the others."""
        parts = [factor.within(name, low, high) for factor in self.factors]
        kept = [part for part in parts if isinstance(part, Scattered)]
        return factored(*kept) if len(kept) == len(parts) else None


class Product(Parametrised, Factored):
    """All combinations of points of its factors, each of which is the image of a unit cube.

    Example:
        >>> from pinnlab.geometry import Disc, Interval
        >>> cylinder = Product(Interval(t=(0, 3)), Disc())
        >>> cylinder.names, cylinder.dimension
        (('t', 'x', 'y'), 3)
    """

    factors: tuple[Parametrised, ...]

    def __init__(self, *factors: Parametrised) -> None:
        """Take the factors.

        Raises:
            UserError: a coordinate occurs twice, or a factor has no map (a difference, given points).
        """
        for factor in factors:
            if not isinstance(factor, Parametrised):
                kind = type(factor).__name__
                raise UserError(
                    f"a {kind} cannot be a factor of a Product; write `*`, as in Interval(t=(0, 1)) * region"
                )
        super().__init__(*factors)

    def map(self, unit: Tensor) -> Points:
        """Each factor takes its own columns of the parameters, in order."""
        points, start = {}, 0
        for factor in self.factors:
            points.update(factor.map(unit[:, start : start + factor.dimension]))
            start += factor.dimension
        return _all_normals(points, self.names)


def factored(*factors: Scattered) -> Scattered:
    """The product of regions that are no combinations: a `Product` if each is the image of a unit cube."""
    flat = [part for factor in factors for part in (factor.factors if isinstance(factor, Factored) else (factor,))]
    images = [factor for factor in flat if isinstance(factor, Parametrised)]
    return Product(*images) if len(images) == len(flat) else Factored(*flat)


def _all_normals(points: Points, names: Sequence[str]) -> Points:
    """The points with normals along all coordinates, 0 along those that have none, if along any."""
    missing = {f"normal_{name}": name for name in names if f"normal_{name}" not in points}
    if len(missing) == len(names):
        return points
    return points | {normal: torch.zeros_like(points[name]) for normal, name in missing.items()}


class _Times(Joined):
    """A joined region times another one; its parts are found when they are needed, as the parts of a boundary are."""

    def __init__(self, first: Joined, second: Scattered) -> None:
        self.first, self.second = first, second
        self.names = (*first.names, *second.names)

    @property
    def dimension(self) -> int:
        """The sum of both dimensions."""
        return self.first.dimension + self.second.dimension

    @property
    def extent(self) -> Ends:
        """The extents of both regions."""
        return self.first.extent | self.second.extent

    @cached_property
    def parts(self) -> Sequence[Region]:  # type: ignore[override]
        """Each part times the other region."""
        return [product(part, self.second) for part in self.first.parts]

    def solids(self) -> list[Region]:
        """The solids of the joined region, times the other region."""
        return [product(solid, self.second) for solid in self.first.solids()]


def product(first: Region, second: Region) -> Region:
    """All combinations of a point of the first region with one of the second, `first * second`.

    Combined regions are multiplied piece by piece: (A − B) × T = A × T − B. Given points become lines over the other
    region, which keep their columns.

    Raises:
        UserError: a coordinate occurs in both, or given points have vectors among their columns.
    """
    if isinstance(first, Scattered) and isinstance(second, Scattered):
        return factored(first, second)
    if isinstance(first, Scattered):
        return product(second, first)
    if isinstance(first, Rejection):
        return first.on(product(first.base, second))
    if isinstance(first, PointSet):
        return Union(*(product(point, second) for point in first.each()))
    if isinstance(first, Joined):
        if isinstance(second, Scattered):
            return _Times(first, second)
        return Union(*(product(part, second) for part in first.parts))
    raise UserError(f"a {type(first).__name__} cannot be a factor of a product")
