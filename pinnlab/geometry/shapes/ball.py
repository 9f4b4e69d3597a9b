"""Balls and spheres of any dimension; discs and circles are those of two."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, coordinate_names, stack, tolerance, unstack
from pinnlab.geometry.numbers import number, pair, real
from pinnlab.geometry.scattered import Parametrised
from pinnlab.geometry.shapes.points import Point


class Ball(Parametrised):
    """The ball |p − c| ≤ R in d coordinates, d ≥ 1.

    Example:
        >>> ball = Ball((0, 0, 0), radius=2.0)
        >>> ball.contains({"x": torch.tensor([1.0, 2.0]), "y": torch.ones(2), "z": torch.ones(2)})
        tensor([ True, False])
        >>> Ball([0.0] * 5, names="x").map(torch.rand(4, 5))["x"].shape
        torch.Size([4, 5])
    """

    def __init__(
        self,
        center: Sequence[float] | Tensor = (0.0, 0.0, 0.0),
        radius: float = 1.0,
        names: Sequence[str] | str = ("x", "y", "z"),
    ) -> None:
        """Take the centre c, whose length is the dimension, the radius R and the names of the coordinates.

        Args:
            center: d numbers.
            radius: The radius.
            names: d names, or one name of a vector of d components.

        Raises:
            UserError: the radius is not positive, the centre no list of numbers, or the names are not d.
        """
        kind = type(self).__name__.lower()
        middle = real(center, f"the centre of a {kind}")
        if middle.dim() != 1 or not len(middle):
            raise UserError(f"the centre of a {kind} must be a list of numbers, one for each coordinate")
        self.center = tuple(middle.tolist())
        self.names = (names,) if isinstance(names, str) else coordinate_names(names, len(self.center))
        self.radius = number(radius, f"the radius of a {kind}")
        if self.radius <= 0:
            raise UserError(f"the radius of a {kind} must be positive, not {radius!r}")

    @property
    def dimension(self) -> int:
        """The number of coordinates d, the components of a vector counted."""
        return len(self.center)

    @property
    def measure(self) -> float:
        """The volume π^{d/2} R^d / Γ(d/2 + 1): the area π R² for d = 2."""
        half = self.dimension / 2
        return math.pi**half / math.gamma(half + 1) * self.radius**self.dimension

    @property
    def extent(self) -> Ends:
        """The cube around it."""
        middle = torch.tensor([self.center], dtype=torch.float64)
        lower, upper = (unstack(middle + side * self.radius, self.names) for side in (-1, 1))
        return {name: (lower[name][0], upper[name][0]) for name in self.names}

    def surfaces(self) -> list[Parametrised]:
        """The sphere around it; the two ends for d = 1."""
        if self.dimension > 1:
            return [Sphere(self)]
        (name,), (middle,) = self.names, self.center
        return [Point({name: middle + side * self.radius}, {f"normal_{name}": side}) for side in (-1.0, 1.0)]

    def distance(self, points: Points) -> Tensor:
        """The distance from the centre, `(N,)`."""
        place = stack(points, self.names)
        return (place - place.new_tensor(self.center)).norm(dim=1)

    def slack(self, points: Points) -> float:
        """The rounding error of a distance."""
        return tolerance(points[self.names[0]], self.radius + max(map(abs, self.center)))

    def contains(self, points: Points) -> Tensor:
        """Which points are no further than R from the centre."""
        return self.distance(points) <= self.radius + self.slack(points)

    def map(self, unit: Tensor) -> Points:
        """Shells of equal volume, r = R u^{1/d}, in the directions of a sphere; for d = 2 the concentric map."""
        if self.dimension == 1:
            direction = 2 * unit - 1
        elif self.dimension == 2:
            direction = concentric(unit)
        else:
            direction = unit[:, :1] ** (1 / self.dimension) * directions(unit[:, 1:])
        return unstack(unit.new_tensor(self.center) + self.radius * direction, self.names)


class Disc(Ball):
    """The disc |p − c| ≤ R in two named coordinates.

    Example:
        >>> disc = Disc((0, 0), radius=2.0)
        >>> disc.contains({"x": torch.tensor([1.0, 2.0]), "y": torch.tensor([1.0, 1.0])})
        tensor([ True, False])
    """

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
        x, y = pair(center, "the centre of a disc")
        super().__init__((number(x, "the disc's centre"), number(y, "the disc's centre")), radius, names)

    def surfaces(self) -> list[Parametrised]:
        """The circle around it."""
        return [Circle(self)]


class Sphere(Parametrised):
    """The boundary of a ball of d ≥ 2 coordinates, with columns `normal_x`, … (named after the coordinates).

    Example:
        >>> sphere = Ball(radius=2.0).boundary
        >>> place = sphere.map(torch.tensor([[0.5, 0.25]]))
        >>> {name: float(column.round()) + 0.0 for name, column in place.items()}
        {'x': 0.0, 'y': 2.0, 'z': 0.0, 'normal_x': 0.0, 'normal_y': 1.0, 'normal_z': 0.0}
    """

    def __init__(self, ball: Ball) -> None:
        """Take the ball that it bounds."""
        self.ball = ball
        self.names = ball.names

    @property
    def dimension(self) -> int:
        """One less than the ball's."""
        return self.ball.dimension - 1

    @property
    def extent(self) -> Ends:
        """The cube around it."""
        return self.ball.extent

    @property
    def measure(self) -> float:
        """The area d V / R for the ball's volume V: the length 2 π R for d = 2."""
        return self.ball.dimension * self.ball.measure / self.ball.radius

    def contains(self, points: Points) -> Tensor:
        """Which points are at the distance R from the centre."""
        return (self.ball.distance(points) - self.ball.radius).abs() <= self.ball.slack(points)

    def map(self, unit: Tensor) -> Points:
        """The centre plus R times `directions`."""
        normal = directions(unit)
        place = unit.new_tensor(self.ball.center) + self.ball.radius * normal
        return unstack(place, self.names) | unstack(normal, self.names, "normal_")


class Circle(Sphere):
    """The boundary of a disc, with columns `normal_x`, `normal_y` (named after the coordinates).

    Example:
        >>> circle = Disc(radius=2.0).boundary
        >>> {name: float(column.round()) for name, column in circle.map(torch.tensor([[0.25]])).items()}
        {'x': -0.0, 'y': 2.0, 'normal_x': -0.0, 'normal_y': 1.0}
    """


def directions(unit: Tensor) -> Tensor:
    """Unit vectors `(N, d)` that are uniform on the sphere for uniform numbers `(N, d − 1)`.

    The last component z of a uniform vector has the density (1 − z²)^{(d−3)/2}, so that (1 + z)/2 has a beta
    distribution with both parameters (d − 1)/2, uniform for d = 3 (Archimedes). The others are √(1 − z²) times a
    uniform vector of d − 1 components, down to the circle, whose angle is 2πu.
    """
    if unit.shape[1] == 1:
        angle = 2 * math.pi * unit[:, 0]
        return torch.stack([angle.cos(), angle.sin()], dim=1)
    share = unit[:, :1]
    if unit.shape[1] > 2:
        from scipy.special import betaincinv

        half = unit.shape[1] / 2
        share = torch.from_numpy(betaincinv(half, half, share.double().cpu().numpy())).to(unit)
    ring = 2 * (share * (1 - share)).sqrt()
    return torch.cat([ring * directions(unit[:, 1:]), 2 * share - 1], dim=1)


def concentric(unit: Tensor) -> Tensor:
    """The concentric map of the unit square `(N, 2)` onto the unit disc.

    Squares around the centre become circles, (a, b) ↦ a (cos πb/4a, sin πb/4a) for |a| > |b|. It keeps
    areas and, unlike polar coordinates, neighbours: stratified points stay so (Shirley & Chiu 1997).
    """
    a, b = (2 * unit - 1).unbind(1)
    wide = a.abs() > b.abs()
    radius = torch.where(wide, a, b)
    ratio = torch.where(wide, b, a) / torch.where(radius == 0, 1.0, radius)
    angle = torch.where(wide, math.pi / 4 * ratio, math.pi / 2 - math.pi / 4 * ratio)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
