"""Cylinders, cones and their frusta, upright along one coordinate; `rotated` gives them any other direction."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, coordinate_names, tolerance
from pinnlab.geometry.numbers import number
from pinnlab.geometry.product import Product
from pinnlab.geometry.scattered import Parametrised
from pinnlab.geometry.shapes.ball import Circle, Disc
from pinnlab.geometry.shapes.box import Interval
from pinnlab.geometry.shapes.points import Point


class Cylinder(Product):
    """The cylinder (x − a)² + (y − b)² ≤ R², z₀ ≤ z ≤ z₁: a disc times an interval.

    Example:
        >>> pipe = Cylinder(radius=2.0, height=(0, 3))
        >>> [round(part.measure / math.pi, 9) for part in (pipe, pipe.side, pipe.top)]
        [12.0, 12.0, 4.0]
    """

    def __init__(
        self,
        radius: float = 1.0,
        height: tuple[float, float] = (0.0, 1.0),
        center: tuple[float, float] = (0.0, 0.0),
        names: Sequence[str] = ("x", "y", "z"),
    ) -> None:
        """Take the radius R, the ends (z₀, z₁) of the axis, its place (a, b) and the coordinates, the axis last.

        Raises:
            UserError: the radius is not positive, the ends are reversed, or the names are not three.
        """
        x, y, z = _three(names)
        self.disc, self.axis = Disc(center, radius, (x, y)), Interval(**{z: height})
        super().__init__(self.disc, self.axis)

    @property
    def side(self) -> Parametrised:
        """The curved surface, with its normal."""
        return Product(Circle(self.disc), self.axis)

    @property
    def bottom(self) -> Parametrised:
        """The disc z = z₀, with its normal."""
        return Product(self.disc, self.axis.surfaces()[0])

    @property
    def top(self) -> Parametrised:
        """The disc z = z₁, with its normal."""
        return Product(self.disc, self.axis.surfaces()[1])


class Cone(Parametrised):
    """A cone along z from a disc of radius R₀ at z₀ to its tip at z₁, or to a disc of radius R₁: a frustum.

    Example:
        >>> cone = Cone(radius=3.0, height=(0, 4))
        >>> round(cone.measure / math.pi, 9), round(cone.side.measure / math.pi, 9)
        (12.0, 15.0)
    """

    dimension = 3

    def __init__(
        self,
        radius: float = 1.0,
        height: tuple[float, float] = (0.0, 1.0),
        center: tuple[float, float] = (0.0, 0.0),
        top_radius: float = 0.0,
        names: Sequence[str] = ("x", "y", "z"),
    ) -> None:
        """Take R₀, the ends (z₀, z₁) of the axis, its place (a, b), R₁ and the coordinates, the axis last.

        Raises:
            UserError: a radius is negative, both are 0, the ends are reversed, or the names are not three.
        """
        self.names = _three(names)
        self.radii = (number(radius, "the radius of a cone"), number(top_radius, "the upper radius of a cone"))
        if min(self.radii) < 0 or max(self.radii) == 0:
            raise UserError(f"the radii of a cone must not be negative, and one of them positive, not {self.radii}")
        self.axis = Interval(**{self.names[2]: height})
        self.ends = tuple(float(end) for end in self.axis.bounds[self.names[2]])
        self.disc = Disc(center, max(self.radii), self.names[:2])

    @property
    def height(self) -> float:
        """The distance h of the ends of the axis."""
        return self.ends[1] - self.ends[0]

    @property
    def measure(self) -> float:
        """The volume π h (R₀² + R₀ R₁ + R₁²) / 3."""
        a, b = self.radii
        return math.pi * self.height * (a * a + a * b + b * b) / 3

    @property
    def extent(self) -> Ends:
        """The box around it."""
        return self.disc.extent | self.axis.extent

    def radius_at(self, share: Tensor) -> Tensor:
        """The radius at a share of the height."""
        return torch.lerp(share.new_tensor(self.radii[0]), share.new_tensor(self.radii[1]), share)

    def around(self, points: Points) -> tuple[Tensor, Tensor, float]:
        """The share of the height of each point, how far it lies out of the side, and what rounding does to that."""
        x, _, z = self.names
        slack = tolerance(points[x], max(self.scales.values()))
        share = (points[z] - self.ends[0]) / self.height
        return share, (self.disc.distance(points) - self.radius_at(share)) * self.height / self.slant, slack

    @property
    def slant(self) -> float:
        """The length of the side from one end to the other, √(h² + (R₀ − R₁)²)."""
        return math.hypot(self.height, self.radii[0] - self.radii[1])

    def contains(self, points: Points) -> Tensor:
        """Which points lie between the ends and no further out than the side."""
        _, out, slack = self.around(points)
        return self.axis.contains(points) & (out <= slack)

    def map(self, unit: Tensor) -> Points:
        """Discs at heights s with the density r(s)²: r³ = R₀³ + u (R₁³ − R₀³)."""
        a, b = self.radii
        third = unit[:, 2]
        radius = (a**3 + third * (b**3 - a**3)).clamp_min(0) ** (1 / 3)
        # s = (r − R₀) / (R₁ − R₀), without its cancellation for radii that are nearly the same
        share = third * (b * b + b * a + a * a) / (radius * radius + radius * a + a * a) if a else third ** (1 / 3)
        return self.placed(Disc().map(unit[:, :2]), self.radius_at(share), share)

    def placed(self, circle: Points, radius: Tensor, share: Tensor) -> Points:
        """Points of the unit disc at a radius and a share of the height each."""
        x, y, z = self.names
        height = torch.lerp(share.new_tensor(self.ends[0]), share.new_tensor(self.ends[1]), share)
        return {
            x: self.disc.center[0] + radius * circle["x"],
            y: self.disc.center[1] + radius * circle["y"],
            z: height,
        }

    def surfaces(self) -> list[Parametrised]:
        """The side, and those ends that are discs."""
        return [self.side, *(self.end(i) for i in range(2) if self.radii[i] > 0)]

    @property
    def side(self) -> Parametrised:
        """The curved surface, with its normal."""
        return ConeSide(self)

    @property
    def bottom(self) -> Parametrised:
        """The disc z = z₀, with its normal."""
        return self.end(0)

    @property
    def top(self) -> Parametrised:
        """The disc z = z₁, with its normal."""
        return self.end(1)

    def end(self, index: int) -> Parametrised:
        """The lower (0) or the upper (1) disc.

        Raises:
            UserError: it is the tip.
        """
        if not self.radii[index]:
            raise UserError("the cone has no disc at its tip")
        x, y, z = self.names
        end = Point({z: self.ends[index]}, {f"normal_{z}": 2.0 * index - 1})
        return Product(Disc(self.disc.center, self.radii[index], (x, y)), end)


class ConeSide(Parametrised):
    """The curved surface of a cone, with normals.

    Example:
        >>> side = Cone(radius=1.0, height=(0, 1)).side
        >>> {name: round(float(column), 3) for name, column in side.map(torch.tensor([[0.0, 0.75]])).items()}
        {'x': 0.5, 'y': 0.0, 'z': 0.5, 'normal_x': 0.707, 'normal_y': 0.0, 'normal_z': 0.707}
    """

    dimension = 2

    def __init__(self, cone: Cone) -> None:
        """Take the cone."""
        self.cone, self.names = cone, cone.names

    @property
    def measure(self) -> float:
        """The area π (R₀ + R₁) times the slant height."""
        return math.pi * sum(self.cone.radii) * self.cone.slant

    @property
    def extent(self) -> Ends:
        """The box around it."""
        return self.cone.extent

    def contains(self, points: Points) -> Tensor:
        """Which points lie on it."""
        _, out, slack = self.cone.around(points)
        return self.cone.axis.contains(points) & (out.abs() <= slack)

    def map(self, unit: Tensor) -> Points:
        """Circles at heights s with the density r(s): r² = R₀² + u (R₁² − R₀²)."""
        a, b = self.cone.radii
        angle, second = 2 * math.pi * unit[:, 0], unit[:, 1]
        radius = (a * a + second * (b * b - a * a)).clamp_min(0).sqrt()
        # as in the solid, s without cancellation
        share = second * (a + b) / (radius + a) if a else second.sqrt()
        circle = {"x": angle.cos(), "y": angle.sin()}
        x, y, z = self.names
        along, out = (a - b) / self.cone.slant, self.cone.height / self.cone.slant
        normal = {x: out * circle["x"], y: out * circle["y"], z: torch.full_like(angle, along)}
        place = self.cone.placed(circle, self.cone.radius_at(share), share)
        return place | {f"normal_{name}": column for name, column in normal.items()}


def _three(names: Sequence[str]) -> tuple[str, str, str]:
    x, y, z = coordinate_names(list(names), 3)
    return x, y, z
