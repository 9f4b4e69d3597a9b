"""Regions that make their points from uniform numbers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from pinnlab.geometry.columns import Points
from pinnlab.geometry.region import Region
from pinnlab.geometry.source import Source, enough


class Scattered(Region):
    """A region that makes its points from rows of uniform numbers: of each row one point, none, or several.

    Example:
        The half disc, of which half of the rows are dropped:

        >>> from pinnlab.geometry import Disc
        >>> from pinnlab.geometry.source import Pilot
        >>> class Half(Scattered):
        ...     names, dimension, measure, parameters = ("x", "y"), 2, 1.5708, 2
        ...
        ...     def throw(self, unit):
        ...         points = Disc().map(unit)
        ...         kept = (points["x"] > 0).nonzero()[:, 0]
        ...         return {name: column[kept] for name, column in points.items()}, kept
        ...
        ...     def contains(self, points):
        ...         return Disc().contains(points) & (points["x"] > 0)
        >>> Half().place(5, Pilot())["x"] > 0
        tensor([True, True, True, True, True])
    """

    @property
    @abstractmethod
    def parameters(self) -> int:
        """The length of a row."""

    @abstractmethod
    def throw(self, unit: Tensor) -> tuple[Points, Tensor]:
        """The points of some rows, and the index of the row of each, `(N,)`; uniform rows give uniform points.

        Args:
            unit: `(M, parameters)`, in [0, 1].
        """

    def surfaces(self) -> Sequence[Scattered]:
        """See `Region.surfaces`."""
        super().surfaces()
        return []

    def place(self, n: int, source: Source) -> Points:
        """The points of as many rows as it takes."""
        kind = f"the {type(self).__name__}"
        return enough(n, source, lambda count: self.throw(source.unit(count, self.parameters))[0], kind)


class Parametrised(Scattered):
    """A region that is the image of a unit cube under a map of constant Jacobian determinant.

    Example:
        A segment from (0, 0) to (3, 4):

        >>> class Segment(Parametrised):
        ...     names, dimension, measure = ("x", "y"), 1, 5.0
        ...
        ...     def map(self, unit):
        ...         return {"x": 3 * unit[:, 0], "y": 4 * unit[:, 0]}
        ...
        ...     def contains(self, points):
        ...         x, y = points["x"], points["y"]
        ...         return ((4 * x - 3 * y).abs() < 1e-6) & (x >= 0) & (x <= 3)
        >>> from pinnlab.collocation import Grid
        >>> Grid().sample(Segment(), 3, seed=0)["y"]
        tensor([0., 2., 4.])
    """

    @abstractmethod
    def map(self, unit: Tensor) -> Points:
        """The points with these parameters; uniform numbers give uniform points.

        Args:
            unit: `(N, dimension)`, in [0, 1].

        Returns:
            Columns of N points.
        """

    @property
    def parameters(self) -> int:
        """The dimension."""
        return self.dimension

    def throw(self, unit: Tensor) -> tuple[Points, Tensor]:
        """One point of each row."""
        return self.map(unit), torch.arange(len(unit))

    def place(self, n: int, source: Source) -> Points:
        """The image of points of the unit cube."""
        return self.map(source.unit(n, self.dimension))
