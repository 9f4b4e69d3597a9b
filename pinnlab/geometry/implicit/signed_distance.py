"""Regions given by a signed distance, which may depend on time: bodies that move."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, select, size, tolerance, unstack
from pinnlab.geometry.implicit.lines import crossings, lines
from pinnlab.geometry.product import factored
from pinnlab.geometry.region import Region
from pinnlab.geometry.scattered import Scattered
from pinnlab.geometry.shapes.ball import Ball
from pinnlab.geometry.shapes.box import Box, Interval
from pinnlab.geometry.shapes.points import Point
from pinnlab.geometry.source import PILOT, Pilot

_VOLUME, _AREA = 2**15, 2**14
"""The numbers of quasi-random points and lines that tell the volume and the area."""

Distance = Callable[..., Tensor]
"""Tensors of coordinates `(N,)`, by name ↦ the signed distance from the surface, negative inside, `(N,)`."""


class SignedDistance(Scattered):
    """The points of a box where a function of torch tensors is not positive: its distance from the surface, signed.

    With `over`, an interval of time, the function depends on time too, and the body moves or changes.

    Example:
        >>> space = Box(x=(-2, 2), y=(-1, 1))
        >>> capsule = SignedDistance(lambda x, y: torch.hypot((x.abs() - 1).clamp_min(0), y) - 0.5, space)
        >>> round(capsule.measure, 1), round(capsule.boundary.measure, 1)
        (2.8, 7.1)
        >>> swing = SignedDistance(lambda t, x, y: torch.hypot(x - t.sin(), y) - 0.5, space, over=Interval(t=(0, 6)))
        >>> swing.names, round(swing.measure / 6, 2)
        (('x', 'y', 't'), 0.79)
    """

    def __init__(self, function: Distance, bounds: Box, over: Interval | Point | None = None) -> None:
        """Take the function, the box that the region lies in, and the interval of a further coordinate.

        The function may be another one that is negative inside, positive outside, and whose gradient has a length
        between ½ and 2 at the surface.

        Raises:
            UserError: the function gives no numbers `(N,)`, is negative nowhere or at the ends of the box, or has
                another gradient.
        """
        self.function, self.bounds, self.over = function, bounds, over
        self.names = (*bounds.names, *(over.names if over is not None else ()))
        if bounds.dimension < 2:
            raise UserError("a signed distance takes two coordinates or more: on a line take an Interval")
        whole = self.whole
        if not bool((self.value(whole.place(PILOT, Pilot())) <= 0).any()):
            raise UserError(
                f"the signed distance is negative at none of {PILOT} points of its box: is the region empty?"
            )
        for face in bounds.surfaces():
            points = (face if over is None else factored(face, over)).place(PILOT // 8, Pilot())
            inside = select(points, self.value(points) <= 0)
            if size(inside):
                place = ", ".join(f"{name} = {float(inside[name][0]):.3g}" for name in bounds.names)
                raise UserError(f"the signed distance is negative at an end of its box ({place}): widen the box")
        slope = LevelSet(self).gradient(LevelSet(self).place(PILOT // 16, Pilot())).norm(dim=1)
        if not bool(((slope > 0.5) & (slope < 2)).double().mean() > 0.95):
            raise UserError(
                f"no signed distance: its gradient at the surface has the length {float(slope.median()):.3g} "
                "and not 1; divide the function by it"
            )

    @property
    def whole(self) -> Scattered:
        """The box, over all times."""
        return self.bounds if self.over is None else factored(self.bounds, self.over)

    def value(self, points: Points) -> Tensor:
        """The function at points, `(N,)`.

        Raises:
            UserError: it is no tensor `(N,)` of numbers.
        """
        columns = {name: points[name] for name in self.names}
        found = self.function(**columns)
        if not isinstance(found, Tensor) or found.shape != (size(columns),) or bool(found.isnan().any()):
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise UserError(f"a signed distance must give a tensor of one number for each point, not {shape} or NaN")
        return found

    @property
    def dimension(self) -> int:
        """The number of coordinates of the box, and one more over a time."""
        return self.whole.dimension

    @property
    def parameters(self) -> int:
        """As many."""
        return self.whole.dimension

    @property
    def extent(self) -> Ends:
        """The box, which may be larger than it need be."""
        return self.whole.extent

    @cached_property
    def measure(self) -> float:
        """The measure of the box times the share of 32768 points inside."""
        return self.whole.measure * float((self.value(self.whole.place(_VOLUME, Pilot())) <= 0).double().mean())

    def slack(self, points: Points) -> float:
        """The rounding error of a distance."""
        return tolerance(points[self.names[0]], max(self.bounds.scales.values()))

    def contains(self, points: Points) -> Tensor:
        """Which points are in the box, where the function is not positive."""
        return self.whole.contains(points) & (self.value(points) <= self.slack(points))

    def throw(self, unit: Tensor) -> tuple[Points, Tensor]:
        """The points of the box that are inside."""
        points, _ = self.whole.throw(unit)
        kept = (self.value(points) <= 0).nonzero()[:, 0]
        return select(points, kept), kept

    def surfaces(self) -> list[Scattered]:
        """The zero level, and what is inside at the first and at the last time."""
        if self.over is None or isinstance(self.over, Point):
            return [self.side]
        ends = [end for end in self.over.surfaces() if isinstance(end, Point)]
        return [self.side, *(SignedDistance(self.function, self.bounds, end) for end in ends)]

    @property
    def side(self) -> LevelSet:
        """The zero level; over a time its points are uniform in area times time, and the normals those in space."""
        return LevelSet(self)

    def face(self, name: str, value: float) -> Region:
        """The region at one time."""
        if self.over is None or name not in self.over.names:
            return super().face(name, value)
        self.over.face(name, value)
        return SignedDistance(self.function, self.bounds, Point({name: value}))

    def within(self, name: str, low: float, high: float) -> Region | None:
        """The region between two times."""
        if self.over is None or name not in self.over.names:
            return super().within(name, low, high)
        part = self.over.within(name, low, high)
        if isinstance(part, Box):
            lower, upper = part.bounds[name]
            part = Interval(**{name: (float(lower), float(upper))})
        return SignedDistance(self.function, self.bounds, part) if isinstance(part, Interval | Point) else None


class LevelSet(Scattered):
    """The surface where a signed distance is 0, with its gradient's direction as normals.

    Its points are those where uniformly random lines cross it; see `pinnlab.geometry.implicit.lines`. The crossings of
    one line stand together in a sample, and share its time.

    Example:
        >>> circle = SignedDistance(lambda x, y: torch.hypot(x, y) - 1, Box(x=(-2, 2), y=(-2, 2))).side
        >>> points = circle.place(50, Pilot())
        >>> bool(circle.contains(points).all()), bool(torch.allclose(points["x"], points["normal_x"], atol=1e-5))
        (True, True)
    """

    def __init__(self, solid: SignedDistance) -> None:
        """Take the region that it bounds."""
        self.solid, self.names = solid, solid.names

    @property
    def dimension(self) -> int:
        """One less than the region's."""
        return self.solid.dimension - 1

    @property
    def parameters(self) -> int:
        """Those of a line, and the time."""
        return 2 * (self.solid.bounds.dimension - 1) + self.solid.dimension - self.solid.bounds.dimension

    @property
    def extent(self) -> Ends:
        """The box, which may be larger than it need be."""
        return self.solid.extent

    @cached_property
    def measure(self) -> float:
        """Half the area of the sphere around the box times the mean number of crossings of 16384 lines."""
        _, rows = self.throw(Pilot().unit(_AREA, self.parameters))
        lower, upper = self.ends()
        ball = Ball([0.0] * len(lower), float((upper - lower).norm() / 2), [f"x{i}" for i in range(len(lower))])
        duration = self.solid.over.measure if self.solid.over is not None else 1.0
        return duration * len(rows) / _AREA * ball.surfaces()[0].measure / 2

    def ends(self) -> tuple[Tensor, Tensor]:
        """The lower and the upper corner of the box, `(d,)` each."""
        lower, upper = zip(*(self.solid.bounds.extent[name] for name in self.solid.bounds.names), strict=True)
        return torch.stack(lower), torch.stack(upper)

    def contains(self, points: Points) -> Tensor:
        """Which points are at the zero level."""
        near = self.solid.value(points).abs() <= self.solid.slack(points)
        return self.solid.whole.contains(points) & near

    def throw(self, unit: Tensor) -> tuple[Points, Tensor]:
        """The crossings of a line for each row."""
        solid, names = self.solid, self.solid.bounds.names
        count = 2 * (solid.bounds.dimension - 1)
        time = solid.over.map(unit[:, count:].double()) if solid.over is not None else {}

        def values(places: Tensor, rows: Tensor) -> Tensor:
            return solid.value(unstack(places, names) | {name: column[rows] for name, column in time.items()})

        places, rows = crossings(values, *lines(unit[:, :count].double(), *self.ends()))
        points = unstack(places, names) | {name: column[rows] for name, column in time.items()}
        gradient = self.gradient(points)
        normal = gradient / gradient.norm(dim=1, keepdim=True)
        points |= unstack(normal, names, "normal_")
        points |= {f"normal_{name}": torch.zeros_like(column) for name, column in time.items() if name in self.names}
        return {name: column.to(unit) for name, column in points.items()}, rows

    def gradient(self, points: Points) -> Tensor:
        """The derivatives of the function along the coordinates of the box, `(N, d)`."""
        with torch.enable_grad():
            columns = {name: points[name].detach().requires_grad_() for name in self.solid.bounds.names}
            total = self.solid.value(points | columns).sum()
            return torch.stack(torch.autograd.grad(total, list(columns.values())), dim=1)
