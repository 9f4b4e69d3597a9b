"""Discs and circles."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, tolerance, two_names
from pinnlab.geometry.numbers import number, pair
from pinnlab.geometry.region import Parametrised


class Disc(Parametrised):
    """The disc |p − c| ≤ R in two named coordinates.

    Example:
        >>> disc = Disc((0, 0), radius=2.0)
        >>> disc.contains({"x": torch.tensor([1.0, 2.0]), "y": torch.tensor([1.0, 1.0])})
        tensor([ True, False])
    """

    dimension = 2

    def __init__(
        self,
        center: tuple[float, float] = (0.0, 0.0),
        radius: float = 1.0,
        names: tuple[str, str] = ("x", "y"),
    ) -> None:
        """Take the centre c, the radius R and the names of the two coordinates.

        Raises:
            UserError: the radius is not positive, the centre no pair of numbers, or the names are not two.
        """
        self.names = two_names(names)
        x, y = pair(center, "the centre of a disc")
        self.center = (number(x, "the disc's centre"), number(y, "the disc's centre"))
        self.radius = number(radius, "the radius of a disc")
        if self.radius <= 0:
            raise UserError(f"the radius of a disc must be positive, not {radius!r}")

    @property
    def measure(self) -> float:
        """The area π R²."""
        return math.pi * self.radius**2

    @property
    def extent(self) -> Ends:
        """The square around it."""
        ends = torch.tensor([-self.radius, self.radius], dtype=torch.float64)
        return {name: (c + ends[0], c + ends[1]) for name, c in zip(self.names, self.center, strict=True)}

    def surfaces(self) -> list[Parametrised]:
        """The circle around it."""
        return [Circle(self)]

    def distance(self, points: Points) -> Tensor:
        """The distance from the centre, `(N,)`."""
        x, y = (points[name] - c for name, c in zip(self.names, self.center, strict=True))
        return torch.hypot(x, y)

    def slack(self, points: Points) -> float:
        """The rounding error of a distance."""
        return tolerance(points[self.names[0]], self.radius + max(map(abs, self.center)))

    def contains(self, points: Points) -> Tensor:
        """Which points are no further than R from the centre."""
        return self.distance(points) <= self.radius + self.slack(points)

    def map(self, unit: Tensor) -> Points:
        """The concentric map of the square onto the disc.

        Squares around the centre become circles, (a, b) ↦ a (cos πb/4a, sin πb/4a) for |a| > |b|. It keeps
        areas and, unlike polar coordinates, neighbours: stratified points stay so (Shirley & Chiu 1997).
        """
        a, b = (2 * unit - 1).unbind(1)
        wide = a.abs() > b.abs()
        radius = torch.where(wide, a, b)
        ratio = torch.where(wide, b, a) / torch.where(radius == 0, 1.0, radius)
        angle = torch.where(wide, math.pi / 4 * ratio, math.pi / 2 - math.pi / 4 * ratio)
        x, y = self.names
        return {
            x: self.center[0] + self.radius * radius * angle.cos(),
            y: self.center[1] + self.radius * radius * angle.sin(),
        }


class Circle(Parametrised):
    """The boundary of a disc, with columns `normal_x`, `normal_y` (named after the coordinates).

    Example:
        >>> circle = Disc(radius=2.0).boundary
        >>> {name: float(column.round()) for name, column in circle.map(torch.tensor([[0.25]])).items()}
        {'x': -0.0, 'y': 2.0, 'normal_x': -0.0, 'normal_y': 1.0}
    """

    dimension = 1

    def __init__(self, disc: Disc) -> None:
        """Take the disc that it bounds."""
        self.disc = disc
        self.names = disc.names

    @property
    def extent(self) -> Ends:
        """The square around it."""
        return self.disc.extent

    @property
    def measure(self) -> float:
        """The length 2 π R."""
        return 2 * math.pi * self.disc.radius

    def contains(self, points: Points) -> Tensor:
        """Which points are at the distance R from the centre."""
        return (self.disc.distance(points) - self.disc.radius).abs() <= self.disc.slack(points)

    def map(self, unit: Tensor) -> Points:
        """Points at the angle 2πu; u = 0 and u = 1 are the same point."""
        angle = 2 * math.pi * unit[:, 0]
        normal = (angle.cos(), angle.sin())
        coordinates = {
            name: c + self.disc.radius * n for name, c, n in zip(self.names, self.disc.center, normal, strict=True)
        }
        return coordinates | {f"normal_{name}": n for name, n in zip(self.names, normal, strict=True)}
