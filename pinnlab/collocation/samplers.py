"""Samplers: how points are spread over a region.

A sampler is a pure function of (region, n, seed, draw): the same arguments give the same points, another draw
gives fresh ones. Quasi-random sequences are those of `scipy.stats.qmc`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region, Source
from pinnlab.renamed import former


class Sampler(ABC):
    """Spreads points over regions; a subclass supplies points of the unit cube.

    Example:
        >>> from pinnlab.geometry import Disc
        >>> class Corners(Sampler):
        ...     def unit(self, n, dimension, key):
        ...         return np.random.default_rng(key).integers(0, 2, (n, dimension)).astype(float)
        >>> points = Corners().sample(Disc(), 5, seed=0)
        >>> (points["x"] ** 2 + points["y"] ** 2).round()
        tensor([1., 1., 1., 1., 1.])
    """

    nested: ClassVar[bool] = True
    """Whether the first points of a larger sample are themselves a sample."""

    @abstractmethod
    def unit(self, n: int, dimension: int, key: np.random.SeedSequence) -> np.ndarray:
        """About n points of the unit cube, `(n, dimension)` float64, a pure function of the arguments."""

    def sample(self, region: Region, n: int, seed: int, draw: int = 0) -> Points:
        """Points of a region.

        Args:
            region: The region.
            n: The number of points; a grid in several dimensions has about n points, given points are all taken.
            seed: A non-negative integer.
            draw: The number of the draw; another draw gives fresh points (a grid has only one).

        Returns:
            Columns of the points, `(n,)` each, in the default dtype.

        Raises:
            UserError: n is not positive, the seed is negative, or the region is empty.
        """
        if n < 1:
            raise UserError(f"the number of points must be positive, not {n}")
        if seed < 0:
            raise UserError(f"the seed must not be negative, not {seed}")
        return region.place(n, _Stream(self, seed, (draw,)))


@dataclass(frozen=True)
class Grid(Sampler):
    """A regular grid, the same for each seed and draw.

    In one dimension it has exactly n points. In several it is a tensor product with k or k + 1 points along
    each axis, their number as near to n as that allows.

    Args:
        offset: None includes both ends of each axis, i / (k - 1), or 1/2 where k = 1. A number in (0, 1) is
            the place of the point in each of k equal cells, (i + offset) / k.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> Grid().sample(Interval(x=(0, 1)), 5, seed=0)["x"]
        tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
        >>> Grid(offset=0.5).sample(Interval(x=(0, 1)), 2, seed=0)["x"]
        tensor([0.2500, 0.7500])
    """

    offset: float | None = None
    nested: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the offset.

        Raises:
            UserError: it is outside (0, 1).
        """
        if self.offset is not None and not 0 < self.offset < 1:
            raise UserError(f"the offset of a grid must lie between 0 and 1, not {self.offset}")

    def unit(self, n: int, dimension: int, key: np.random.SeedSequence) -> np.ndarray:
        """The tensor product, the last axis varying fastest."""
        counts = _per_axis(n, dimension)
        index = np.arange(math.prod(counts))
        columns = []
        for k in reversed(counts):
            index, along = np.divmod(index, k)
            columns.append(self._axis(k)[along])
        return np.stack(columns[::-1], axis=1)

    def _axis(self, k: int) -> np.ndarray:
        if self.offset is not None:
            return (np.arange(k) + self.offset) / k
        return np.linspace(0.0, 1.0, k) if k > 1 else np.array([0.5])


@dataclass(frozen=True)
class Uniform(Sampler):
    """Independent uniform points.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> line = Interval(x=(0, 1))
        >>> torch.equal(Uniform().sample(line, 9, seed=1)["x"], Uniform().sample(line, 9, seed=1, draw=1)["x"])
        False
    """

    def unit(self, n: int, dimension: int, key: np.random.SeedSequence) -> np.ndarray:
        """Draws of a seeded generator."""
        return np.random.default_rng(key).random((n, dimension))


@dataclass(frozen=True)
class LatinHypercube(Sampler):
    """One point in each of n equal slices of every axis.

    Example:
        >>> from pinnlab.geometry import Box
        >>> points = LatinHypercube().sample(Box(x=(0, 4), y=(0, 4)), 4, seed=0)
        >>> points["x"].floor().sort().values, points["y"].floor().sort().values
        (tensor([0., 1., 2., 3.]), tensor([0., 1., 2., 3.]))
    """

    def unit(self, n: int, dimension: int, key: np.random.SeedSequence) -> np.ndarray:
        """A Latin hypercube, its slices paired at random."""
        from scipy.stats import qmc

        return qmc.LatinHypercube(dimension, rng=np.random.default_rng(key)).random(n)


@dataclass(frozen=True)
class Sobol(Sampler):
    """The scrambled Sobol sequence; 2^m points have one in each of 2^m equal slices of every axis.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> Sobol().sample(Interval(x=(0, 8)), 8, seed=0)["x"].floor().sort().values
        tensor([0., 1., 2., 3., 4., 5., 6., 7.])
    """

    def unit(self, n: int, dimension: int, key: np.random.SeedSequence) -> np.ndarray:
        """The first n points of the sequence, under a random scramble."""
        from scipy.stats import qmc

        sequence = qmc.Sobol(dimension, scramble=True, rng=np.random.default_rng(key))
        # Only 2^m points are balanced; the first n of them are the same points for every m.
        return sequence.random_base2((n - 1).bit_length())[:n]


@dataclass(frozen=True)
class Halton(Sampler):
    """The scrambled Halton sequence.

    Example:
        >>> from pinnlab.geometry import Disc
        >>> Halton().sample(Disc(), 10, seed=0)["x"].shape
        torch.Size([10])
    """

    def unit(self, n: int, dimension: int, key: np.random.SeedSequence) -> np.ndarray:
        """The first n points of the sequence, under a random scramble."""
        from scipy.stats import qmc

        return qmc.Halton(dimension, scramble=True, rng=np.random.default_rng(key)).random(n)


@dataclass(frozen=True)
class Clustered(Sampler):
    """Points of another sampler, a share of them clustered around a place along one axis, for a front or a layer there.

    A coordinate u of the unit cube becomes c ± w (|u − c| / w)^p, with w = 1 − c for u > c and w = c for u < c: the
    ends stay, and the density at c grows with p.

    Args:
        axis: The number of the axis among the region's parameters, from 0: of `Box(t=…, x=…)`, 1 is x.
        towards: The place c along the axis, from 0 to 1; 1/2 is the middle.
        power: The power p; 1 moves no point.
        share: The share of the points that is moved, from 0 to 1.
        sampler: The sampler whose points are moved; Sobol by default.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> Clustered(axis=0, power=2.0, share=1.0, sampler=Grid()).sample(Interval(x=(-1, 1)), 5, seed=0)["x"]
        tensor([-1.0000, -0.2500,  0.0000,  0.2500,  1.0000])
    """

    axis: int
    towards: float = 0.5
    power: float = 3.0
    share: float = 0.5
    sampler: Sampler | None = None
    nested: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            UserError: one is out of its range.
        """
        if self.axis < 0 or not 0 <= self.towards <= 1 or self.power < 1 or not 0 <= self.share <= 1:
            raise UserError(
                "Clustered: axis from 0, towards and share between 0 and 1, power at least 1; got "
                f"axis {self.axis}, towards {self.towards}, power {self.power}, share {self.share}"
            )

    def unit(self, n: int, dimension: int, key: np.random.SeedSequence) -> np.ndarray:
        """The other sampler's points, the last of them moved.

        Raises:
            UserError: there is no such axis.
        """
        if self.axis >= dimension:
            raise UserError(f"Clustered: a region of {dimension} dimensions has no axis {self.axis}; they count from 0")
        points = np.array((self.sampler or Sobol()).unit(n, dimension, key))
        moved = points[len(points) - round(self.share * len(points)) :, self.axis]
        width = np.where(moved >= self.towards, 1 - self.towards, self.towards)
        # if c is an end of the axis, no point lies beyond it
        away = np.divide(np.abs(moved - self.towards), width, out=np.zeros_like(moved), where=width > 0)
        moved[:] = self.towards + np.sign(moved - self.towards) * width * away**self.power
        return points


@dataclass(frozen=True)
class _Stream(Source):
    """A sampler with its seed and the path of draw and parts that lead here."""

    sampler: Sampler
    seed: int
    path: tuple[int, ...]

    @property
    def nested(self) -> bool:  # type: ignore[override]
        return self.sampler.nested

    def unit(self, n: int, dimension: int) -> Tensor:
        if dimension == 0:
            return torch.zeros(n, 0)
        key = np.random.SeedSequence(self.seed, spawn_key=self.path)
        points = self.sampler.unit(n, dimension, key)
        return torch.from_numpy(np.ascontiguousarray(points)).to(torch.get_default_dtype())

    def split(self, index: int) -> _Stream:
        return replace(self, path=(*self.path, index))


def _per_axis(n: int, dimension: int) -> list[int]:
    """How many points along each axis, all k or k + 1, with the product nearest to n."""
    k = max(1, int(n ** (1 / dimension)))
    # The root may come out a little low or high in floating point.
    k += (k + 1) ** dimension <= n
    longer = min(range(dimension + 1), key=lambda j: abs((k + 1) ** j * k ** (dimension - j) - n))
    return [k + 1] * longer + [k] * (dimension - longer)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The classes and functions of this module under their former names."""
        return former(__name__, name)
