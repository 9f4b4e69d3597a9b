"""Boxes and their faces."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, tolerance
from pinnlab.geometry.combined import joined
from pinnlab.geometry.numbers import number, pair, real
from pinnlab.geometry.product import Product
from pinnlab.geometry.region import Region
from pinnlab.geometry.scattered import Parametrised
from pinnlab.geometry.shapes.points import Point

Bound = float | Sequence[float] | Tensor
"""One end of an axis: a number, or d numbers for a vector coordinate."""


class Box(Parametrised):
    """An axis-parallel box, `Box(t=(0, 1), x=(-1, 1))`, of any number of named axes.

    An axis may be a vector: `Box(x=([0.0] * d, [1.0] * d))` has one column x, `(N, d)`.

    Example:
        >>> box = Box(t=(0, 2), x=(-1, 1))
        >>> box.measure, box.face("t", 0).names, box.faces("x").measure
        (4.0, ('t', 'x'), 4.0)
    """

    def __init__(self, **bounds: tuple[Bound, Bound]) -> None:
        """Take (lower, upper) of each axis.

        Raises:
            UserError: no axis, or bounds that are not finite, reversed or equal.
        """
        if not bounds:
            raise UserError("a box needs at least one axis, as in Box(x=(0, 1))")
        self.names = tuple(bounds)
        self.bounds = {name: _bounds(name, ends) for name, ends in bounds.items()}

    @property
    def dimension(self) -> int:
        """The number of axes, the components of vector axes counted."""
        return sum(lower.numel() for lower, _ in self.bounds.values())

    @property
    def measure(self) -> float:
        """The product of the side lengths."""
        return math.prod(float((upper - lower).prod()) for lower, upper in self.bounds.values())

    def contains(self, points: Points) -> Tensor:
        """Which points lie between the bounds, ends included."""
        inside = torch.tensor(True)
        for name, (lower, upper) in self.bounds.items():
            column = points[name]
            slack = tolerance(column, float(torch.maximum(lower.abs(), upper.abs()).max()))
            within = (column >= lower.to(column) - slack) & (column <= upper.to(column) + slack)
            inside = inside & (within.all(-1) if lower.dim() else within)
        return inside

    def map(self, unit: Tensor) -> Points:
        """Each axis at lower + u (upper - lower); u = 0 and u = 1 give the bounds exactly."""
        points, start = {}, 0
        for name, (lower, upper) in self.bounds.items():
            part = unit[:, start : start + lower.numel()]
            start += lower.numel()
            points[name] = torch.lerp(lower.to(unit), upper.to(unit), part if lower.dim() else part[:, 0])
        return points

    def face(self, name: str, value: float) -> Region:
        """The points of the box where one coordinate has a value, such as an end or an interface.

        Args:
            name: a coordinate of the box; not a vector.
            value: its value there, within the bounds.

        Returns:
            A region of one dimension less; a single point, as `PointSet`, where the box is an interval.

        Raises:
            UserError: no such coordinate, or a value outside its bounds.
        """
        return joined([self._surface(name, number(value, f"the face's {name}"), {})])

    def within(self, name: str, low: float, high: float) -> Region | None:
        """See `Region.within`."""
        if name not in self.bounds:
            return self
        lower, upper = self._ends(name)
        low, high = max(low, lower), min(high, upper)
        cut: dict[str, tuple[Bound, Bound]] = {**self.bounds, name: (low, high)}
        return Box(**cut) if low < high else None

    def faces(self, *names: str) -> Region:
        """Both faces of each of these axes, of all axes where none is named.

        The points are split among the faces in proportion to their areas.

        Raises:
            UserError: no such coordinate.
        """
        return joined([self._surface(name, end, {}) for name in names or self.names for end in self._ends(name)])

    @property
    def extent(self) -> Ends:
        """The bounds."""
        return dict(self.bounds)

    @property
    def scales(self) -> dict[str, float]:
        """The size of each axis."""
        return {name: max(1.0, float(torch.stack(ends).abs().max())) for name, ends in self.bounds.items()}

    def surfaces(self) -> list[Parametrised]:
        """Both faces of each axis."""
        faces = []
        for name in self.names:
            for end, sign in zip(self._ends(name), (-1.0, 1.0), strict=True):
                normal = {f"normal_{other}": sign * (other == name) for other in self.names}
                faces.append(self._surface(name, end, normal))
        return faces

    def _surface(self, name: str, value: float, columns: dict[str, float]) -> Parametrised:
        lower, upper = self._ends(name)
        if not lower <= value <= upper:
            raise UserError(f"no face {name} = {value:g}: in this box {name} goes from {lower:g} to {upper:g}")
        rest = {other: ends for other, ends in self.bounds.items() if other != name}
        end = Point({name: value}, columns)
        return Product(end, Box(**rest)) if rest else end

    def _ends(self, name: str) -> tuple[float, float]:
        if name not in self.bounds:
            raise UserError(f"the box has no axis {name!r}; its axes are {', '.join(self.names)}")
        lower, upper = self.bounds[name]
        if lower.dim():
            raise UserError(f"the axis {name} is a vector of {len(lower)}; only scalar axes have faces")
        return float(lower), float(upper)


class Interval(Box):
    """A box of one axis.

    Example:
        >>> Interval(X=(-2, 2)).measure
        4.0
    """

    def __init__(self, **bounds: tuple[float, float]) -> None:
        """Take (lower, upper) of the one axis.

        Raises:
            UserError: not exactly one axis, or bounds that are not finite, reversed or equal.
        """
        super().__init__(**bounds)
        if self.dimension != 1:
            raise UserError(f"an interval has one axis, as in Interval(x=(0, 1)), not {self.dimension}")


def _bounds(name: str, ends: object) -> tuple[Tensor, Tensor]:
    lower, upper = (real(end, f"the bounds of {name}") for end in pair(ends, f"the bounds (lower, upper) of {name}"))
    if lower.shape != upper.shape or lower.dim() > 1 or lower.numel() == 0:
        raise UserError(f"the bounds of {name} must both be numbers, or vectors of one length; got {ends!r}")
    if not (lower < upper).all():
        raise UserError(f"the lower bound of {name} must be less than its upper bound; got {ends!r}")
    return lower, upper
