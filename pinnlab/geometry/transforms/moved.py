"""Regions under an affine map, with their surfaces and normals."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, rounded, select, stack, unstack
from pinnlab.geometry.combined import axes
from pinnlab.geometry.region import Region
from pinnlab.geometry.scattered import Parametrised, Scattered
from pinnlab.geometry.shapes.points import Point, PointSet
from pinnlab.geometry.source import PILOT, Pilot
from pinnlab.geometry.transforms.motion import Motion


class Moved(Scattered):
    """The image of a region that is no combination under an affine map.

    A surface that is stretched unevenly gets points in proportion to its new measure: one is dropped with the
    probability 1 − w / max w, where w is the measure of the image over that of the original there.

    Example:
        >>> from pinnlab.geometry import Disc
        >>> ellipse = Disc().scaled(x=2.0)
        >>> ellipse.contains({"x": torch.tensor([1.5, 1.5]), "y": torch.tensor([0.5, 0.9])})
        tensor([ True, False])
    """

    def __init__(self, base: Scattered, motion: Motion) -> None:
        """Take the region and the map.

        Raises:
            UserError: the region is a curve or a surface without normals that would be stretched unevenly.
        """
        self.base, self.motion, self.names = base, motion, base.names
        points, _ = base.throw(Pilot().unit(1, base.parameters))
        self.normals = any(f"normal_{name}" in points for name in base.names)
        scale = motion.similarity
        self.factor: float | None
        """The factor of the measure, if it is the same everywhere."""
        if base.dimension == axes(base):
            self.factor = abs(motion.factor)
        elif scale is not None and (abs(scale - 1) < 1e-12 or set(motion.names) >= set(base.names)):
            self.factor = scale**base.dimension
        elif self.normals and base.dimension == axes(base) - 1:
            self.factor = None
        else:
            raise UserError("a curve or a face cannot be stretched unevenly: stretch the solid, then take its boundary")

    @property
    def dimension(self) -> int:
        """The dimension of the region."""
        return self.base.dimension

    @property
    def parameters(self) -> int:
        """Those of the region; one more where points are dropped."""
        return self.base.parameters + (self.factor is None)

    @cached_property
    def measure(self) -> float:
        """The measure of the region times |det A|, or for a surface times the mean of w at 4096 points."""
        if self.factor is not None:
            return self.base.measure * self.factor
        _, weight = self.motion.covectors(self.base.place(PILOT, Pilot()), self.names)
        return self.base.measure * float(weight.double().mean())

    @property
    def extent(self) -> Ends:
        """The box around the image of the box around the region, which may be larger than it need be."""
        middle, half = (
            {n: (upper + sign * lower)[None] / 2 for n, (lower, upper) in self.base.extent.items()} for sign in (1, -1)
        )
        centre = self.motion.forward(middle)
        widths = stack(half, self.motion.names) @ self.motion.matrix.abs().T
        reach = half | unstack(widths, self.motion.names)
        return {name: (centre[name][0] - reach[name][0], centre[name][0] + reach[name][0]) for name in self.names}

    def contains(self, points: Points) -> Tensor:
        """Which points the map takes from the region; rounding counts at their present distance from the origin."""
        with rounded(max(self.scales.values()) * self.shrinking):
            return self.base.contains(self.motion.back(points))

    def throw(self, unit: Tensor) -> tuple[Points, Tensor]:
        """The images of the region's points, some dropped where the surface is stretched less than elsewhere."""
        points, rows = self.base.throw(unit[:, : self.base.parameters])
        points = self.motion.forward(points)
        if not self.normals:
            return points, rows
        normals, weight = self.motion.covectors(points, self.names)
        points = points | normals
        if self.factor is not None:
            return points, rows
        kept = unit[rows, -1] * self.largest < weight
        return select(points, kept), rows[kept]

    @cached_property
    def largest(self) -> float:
        """A bound of w: |det A| times the largest singular value of A⁻¹, or 1 along other coordinates."""
        whole = set(self.motion.names) >= set(self.names)
        return abs(self.motion.factor) * (self.shrinking if whole else max(1.0, self.shrinking))

    @cached_property
    def shrinking(self) -> float:
        """The largest singular value of A⁻¹: how much longer a length may have been."""
        return float(torch.linalg.matrix_norm(torch.linalg.inv(self.motion.matrix), 2))

    def surfaces(self) -> list[Scattered]:
        """The images of the surfaces."""
        return [moved(surface, self.motion) for surface in self.base.surfaces()]

    def face(self, name: str, value: float) -> Region:
        """The image of a face along a coordinate that the map leaves as it is."""
        if name in self.motion.names:
            return super().face(name, value)
        return self.base.face(name, value).rebuilt(Mover(self.motion))

    def within(self, name: str, low: float, high: float) -> Region | None:
        """The image of the part between the numbers, along a coordinate that the map leaves as it is."""
        if name in self.motion.names:
            return super().within(name, low, high)
        part = self.base.within(name, low, high)
        return None if part is None else part.rebuilt(Mover(self.motion))


class MovedImage(Parametrised, Moved):
    """The image of a region with a map, whose measure is multiplied by one factor everywhere.

    Example:
        >>> from pinnlab.geometry import Box
        >>> diamond = Box(x=(-1, 1), y=(-1, 1)).rotated(0.7853981633974483, "x", "y")
        >>> isinstance(diamond, MovedImage), diamond.contains({"x": torch.tensor([1.4]), "y": torch.tensor([0.0])})
        (True, tensor([True]))
    """

    base: Parametrised

    def map(self, unit: Tensor) -> Points:
        """The images of the region's points."""
        points = self.motion.forward(self.base.map(unit))
        return points | self.motion.covectors(points, self.names)[0] if self.normals else points


class Mover:
    """Moves the parts of a combined region, each once: `region.rebuilt(Mover(motion))`.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> from pinnlab.geometry.transforms.motion import shifted
        >>> Interval(x=(0, 1)).rebuilt(Mover(shifted({"x": 2.0}))).extent["x"]
        (tensor(2., dtype=torch.float64), tensor(3., dtype=torch.float64))
    """

    def __init__(self, motion: Motion) -> None:
        """Take the map."""
        self.motion = motion
        self.done: dict[int, tuple[Region, Region]] = {}

    def __call__(self, region: Region) -> Region:
        """The image of a region that is no combination.

        Raises:
            UserError: there is none.
        """
        # the original is kept, so that no other region gets its number
        if id(region) not in self.done:
            self.done[id(region)] = (region, self.image(region))
        return self.done[id(region)][1]

    def image(self, region: Region) -> Region:
        """The image, made anew."""
        motion = self.motion.over(region.names)
        if motion is None:
            return region
        vectors = [name for name in motion.names if name in region.extent and region.extent[name][0].dim()]
        if vectors:
            raise UserError(f"the coordinate {vectors[0]} is a vector, and only numbers are moved, turned or scaled")
        if isinstance(region, PointSet):
            points = motion.forward(region.columns)
            places = [name for name in region.names if f"normal_{name}" in points]
            turned = motion.covectors(points, places)[0] if set(motion.names) <= set(places) else {}
            return PointSet(**points | turned)
        if isinstance(region, Scattered):
            return moved(region, motion)
        raise UserError(f"a {type(region).__name__} cannot be moved, turned or scaled")


def moved(region: Scattered, motion: Motion) -> Scattered:
    """The image of a region that is no combination: one with a map again, if the region has one and it can be."""
    within = motion.over(region.names)
    if within is None:
        return region
    if isinstance(region, Point):
        return _point(region, within)
    image = Moved(region, within)
    return MovedImage(region, within) if isinstance(region, Parametrised) and image.factor is not None else image


def _point(point: Point, motion: Motion) -> Point:
    columns = {**point.coordinates, **point.columns}
    found = motion.forward({name: torch.tensor([value], dtype=torch.float64) for name, value in columns.items()})
    if all(f"normal_{name}" in found for name in point.names):
        found |= motion.covectors(found, point.names)[0]
    values = {name: column.item() for name, column in found.items()}
    further = {name: value for name, value in values.items() if name not in point.names}
    return Point({name: values[name] for name in point.names}, further)
