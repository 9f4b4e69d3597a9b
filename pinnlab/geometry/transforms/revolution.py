"""Solids and surfaces of revolution."""

from __future__ import annotations

import math
from functools import cached_property

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, select
from pinnlab.geometry.region import Region
from pinnlab.geometry.scattered import Scattered
from pinnlab.geometry.source import Pilot

_MEAN = 2**15
"""The number of quasi-random points whose mean radius tells the measure."""


class Revolution(Scattered):
    """What a region or a curve in coordinates (r, z) passes as it turns about the axis r = 0.

    A point at the radius r stands for a circle of length 2πr: one is dropped with the probability 1 − r / max r.

    Example:
        >>> from pinnlab.geometry import Disc
        >>> torus = Disc((2, 0), 0.5, names=("r", "z")).revolved("r")
        >>> torus.names, round(torus.measure / math.pi**2, 4)
        (('x', 'y', 'z'), 1.0)
    """

    def __init__(self, profile: Scattered, radius: str, into: tuple[str, str]) -> None:
        """Take the profile, the name of its radius, and the coordinates across the axis.

        Raises:
            UserError: the profile has no positive radius.
        """
        self.profile, self.radius, self.into = profile, radius, into
        self.names = (*into, *(name for name in profile.names if name != radius))
        self.largest = float(profile.extent[radius][1])
        if self.largest <= 0:
            raise UserError(f"the profile of a revolution must reach {radius} > 0, and this ends at {self.largest:g}")

    @property
    def dimension(self) -> int:
        """One more than the profile's."""
        return self.profile.dimension + 1

    @property
    def parameters(self) -> int:
        """Those of the profile, the angle, and one that decides whether a point is dropped."""
        return self.profile.parameters + 2

    @cached_property
    def measure(self) -> float:
        """The measure of the profile times the mean length of the circles (Pappus), at 32768 points."""
        radius = self.profile.place(_MEAN, Pilot())[self.radius].double()
        return 2 * math.pi * self.profile.measure * float(radius.clamp_min(0).mean())

    @property
    def extent(self) -> Ends:
        """The box around it."""
        end = torch.tensor(self.largest, dtype=torch.float64)
        rest = {name: ends for name, ends in self.profile.extent.items() if name != self.radius}
        return {name: (-end, end) for name in self.into} | rest

    def contains(self, points: Points) -> Tensor:
        """Which points have their distance from the axis, and their other coordinates, in the profile."""
        x, y = (points[name] for name in self.into)
        return self.profile.contains(points | {self.radius: torch.hypot(x, y)})

    def throw(self, unit: Tensor) -> tuple[Points, Tensor]:
        """Points of the profile at an angle each; the normal turns with them."""
        points, rows = self.profile.throw(unit[:, :-2])
        kept = unit[rows, -1] * self.largest < points[self.radius]
        points, rows = select(points, kept), rows[kept]
        angle = 2 * math.pi * unit[rows, -2]
        turned: Points = {}
        for column in ("", "normal_"):
            along = points.pop(f"{column}{self.radius}", None)
            if along is not None:
                for name, share in zip(self.into, (angle.cos(), angle.sin()), strict=True):
                    turned[f"{column}{name}"] = along * share
        return turned | points, rows

    def surfaces(self) -> list[Scattered]:
        """The revolved curves around the profile; what lies on the axis bounds nothing."""
        curves = [curve for curve in self.profile.surfaces() if float(curve.extent[self.radius][1]) > 0]
        return [Revolution(curve, self.radius, self.into) for curve in curves]

    def face(self, name: str, value: float) -> Region:
        """The revolved face of the profile."""
        if name in self.into:
            return super().face(name, value)
        return self.profile.face(name, value).rebuilt(Revolving(self.radius, self.into))

    def within(self, name: str, low: float, high: float) -> Region | None:
        """The revolved part of the profile between the numbers."""
        if name in self.into:
            return super().within(name, low, high)
        part = self.profile.within(name, low, high)
        return None if part is None else part.rebuilt(Revolving(self.radius, self.into))


class Revolving:
    """Revolves the parts of a combined region, each once: `region.rebuilt(Revolving("r", ("x", "y")))`.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> Interval(r=(0, 1)).rebuilt(Revolving("r", ("x", "y"))).measure
        3.1415...
    """

    def __init__(self, radius: str, into: tuple[str, str]) -> None:
        """Take the name of the radius, and the coordinates across the axis."""
        self.radius, self.into = radius, into
        self.done: dict[int, tuple[Region, Region]] = {}

    def __call__(self, region: Region) -> Region:
        """The revolved region, itself if it has no such radius.

        Raises:
            UserError: it cannot be revolved.
        """
        if self.radius not in region.names:
            return region
        if not isinstance(region, Scattered):
            raise UserError(f"a {type(region).__name__} cannot be revolved")
        # the original is kept, so that no other region gets its number
        if id(region) not in self.done:
            self.done[id(region)] = (region, Revolution(region, self.radius, self.into))
        return self.done[id(region)][1]
