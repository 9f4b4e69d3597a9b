"""Regions of dimension 0: given points, and the single point that makes faces of boxes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, tolerance
from pinnlab.geometry.numbers import real
from pinnlab.geometry.region import Region
from pinnlab.geometry.scattered import Parametrised
from pinnlab.geometry.source import Source
from pinnlab.renamed import former


class PointSet(Region):
    """Given points, with further columns for data, such as measurements.

    A sample of any size has all of them.

    Example:
        U is measured at the ends of an interval:

        >>> from pinnlab.collocation import Sobol
        >>> Sobol().sample(PointSet(X=[-2, 2], U=[1, -1]), 100, seed=0)
        {'X': tensor([-2.,  2.]), 'U': tensor([ 1., -1.])}
    """

    dimension = 0

    def __init__(self, **columns: object) -> None:
        """Take the columns.

        Args:
            columns: name → the values there: N numbers, as `(N,)` or `(N, 1)`, `(N, d)` for a vector, or one number
                for N = 1; lists, numpy arrays, tensors, columns of data frames.

        Raises:
            UserError: there is no point, a value is no finite real number, or the columns differ in length.
        """
        if not columns:
            raise UserError("PointSet needs at least one column, as in PointSet(x=[0.0, 1.0])")
        self.columns = {name: _column(name, values) for name, values in columns.items()}
        self.names = tuple(columns)
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise UserError(f"PointSet: the columns must have one length, not {lengths}")
        if 0 in lengths.values():
            raise UserError(f"PointSet: no points given for {', '.join(self.names)}")

    @property
    def measure(self) -> float:
        """The number of points."""
        return float(len(self.columns[self.names[0]]))

    def contains(self, points: Points) -> Tensor:
        """Which points agree with a given one in all columns that they share."""
        shared = [name for name in self.names if name in points]
        if not shared:
            raise UserError(f"the points have no column of {', '.join(self.names)}")
        match = torch.tensor(True)
        for name in shared:
            ours, theirs = self.columns[name].to(points[name]), points[name]
            close = (theirs[:, None] - ours[None]).abs() <= tolerance(theirs, float(ours.abs().max()))
            match = match & close.flatten(2).all(2) if close.dim() > 2 else match & close
        return match.any(1)

    def each(self) -> list[Point]:
        """The given points one by one, with normals and data as columns.

        Raises:
            UserError: a column is a vector, or the points have noise.
        """
        if self.noise is not None:
            raise UserError("measurements with a column of noise cannot be a factor of a product")
        vectors = [name for name, column in self.columns.items() if column.dim() > 1]
        if vectors:
            raise UserError(f"PointSet: the column {vectors[0]} is a vector, and a product takes numbers only")
        normals = {f"normal_{name}" for name in self.names}
        rows = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        named = [dict(zip(self.names, row, strict=True)) for row in rows]
        return [
            Point(
                {name: value for name, value in row.items() if name not in normals},
                {name: value for name, value in row.items() if name in normals},
            )
            for row in named
        ]

    def within(self, name: str, low: float, high: float) -> Region | None:
        """The given points between the numbers, both included."""
        if name not in self.columns:
            return self
        column = self.columns[name]
        kept = (column >= low) & (column <= high)
        part = copy.copy(self)
        part.columns = {key: values[kept] for key, values in self.columns.items()}
        return part if bool(kept.any()) else None

    def place(self, n: int, source: Source) -> Points:
        """All given points, for any n and source."""
        return {name: column.to(torch.get_default_dtype()) for name, column in self.columns.items()}


class Point(Parametrised):
    """One point, repeated in a sample of any size: a factor of products, such as the face of a box.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> face = Point({"t": 0.0}) * Interval(x=(0, 1))
        >>> face.map(torch.tensor([[0.25], [0.5]]))
        {'t': tensor([0., 0.]), 'x': tensor([0.2500, 0.5000])}
    """

    dimension = 0
    measure = 1.0

    def __init__(self, coordinates: dict[str, float], columns: dict[str, float] | None = None) -> None:
        """Take the coordinates, and further constant columns such as a normal."""
        self.names = tuple(coordinates)
        self.coordinates = dict(coordinates)
        self.columns = dict(columns or {})

    @property
    def extent(self) -> Ends:
        """The coordinates twice."""
        at = {name: torch.tensor(value, dtype=torch.float64) for name, value in self.coordinates.items()}
        return {name: (value, value) for name, value in at.items()}

    @property
    def scales(self) -> dict[str, float]:
        """The size of each coordinate."""
        return {name: max(1.0, abs(value)) for name, value in self.coordinates.items()}

    def contains(self, points: Points) -> Tensor:
        """Which points have these coordinates."""
        return torch.stack(
            [
                (points[name] - value).abs() <= tolerance(points[name], abs(value))
                for name, value in self.coordinates.items()
            ]
        ).all(0)

    def within(self, name: str, low: float, high: float) -> Region | None:
        """Itself, if its coordinate lies between the numbers."""
        return self if low <= self.coordinates.get(name, low) <= high else None

    def map(self, unit: Tensor) -> Points:
        """As many copies as `unit`, `(N, 0)`, has rows."""
        values = {**self.coordinates, **self.columns}
        return {name: unit.new_full((len(unit),), value) for name, value in values.items()}


def _column(name: str, values: object) -> Tensor:
    column = real(values, f"PointSet: the column {name}")
    column = column.reshape(1) if column.dim() == 0 else column
    if column.dim() > 2:
        raise UserError(f"PointSet: the column {name} must have shape (N,) or (N, d), not {tuple(column.shape)}")
    # one number for each point, as frame[["u"]].values gives it
    return column[:, 0] if column.shape[1:] == (1,) else column


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The classes and functions of this module under their former names."""
        return former(__name__, name)
