"""Where the uniform numbers of samples come from: a grid, a quasi-random sequence or a random generator."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Points, select, size

PILOT = 4096
"""The number of quasi-random points that estimate an unknown extent or an unknown measure of a region."""


class Source(ABC):
    """Supplies points of the unit cube; pure: the same call gives the same points.

    Example:
        >>> Pilot().unit(5, 2).shape
        torch.Size([5, 2])
    """

    nested: bool
    """Whether the first points of a larger sample are themselves a sample (a grid's are not)."""

    @abstractmethod
    def unit(self, n: int, dimension: int) -> Tensor:
        """About n points of the unit cube, `(n, dimension)`, in the default dtype."""

    @abstractmethod
    def split(self, index: int) -> Source:
        """An independent source for part `index` of a region made of parts."""


class Pilot(Source):
    """A fixed scrambled Sobol sequence.

    Example:
        >>> torch.equal(Pilot(3).unit(8, 2), Pilot(3).unit(8, 2))
        True
    """

    nested = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def unit(self, n: int, dimension: int) -> Tensor:
        """The first n points."""
        if dimension == 0:
            return torch.zeros(n, 0)
        engine = torch.quasirandom.SobolEngine(dimension, scramble=True, seed=self.seed)
        return engine.draw(n, dtype=torch.get_default_dtype())

    def split(self, index: int) -> Pilot:
        """Another scramble."""
        return Pilot(31 * self.seed + index + 1)


_MOST = 2**20
"""Candidates, or 64 for each point asked, after which a region is taken to be empty."""


def enough(n: int, source: Source, draw: Callable[[int], Points], kind: str) -> Points:
    """About n points of a region that keeps an unknown share of the candidates it draws.

    Args:
        n: How many.
        source: The source of the candidates. The first n points are taken where they are themselves a sample; a grid is
            kept whole, since a cut would leave one side of the region without points.
        draw: The points that are left of a number of candidates.
        kind: The region in words, for the message.

    Raises:
        UserError: (almost) no candidate is kept.
    """
    candidates, most = n, max(_MOST, 64 * n)
    while True:
        points = draw(candidates)
        found = size(points)
        if found >= n or (found and not source.nested and candidates > n):
            return select(points, slice(n)) if source.nested else points
        if candidates >= most:
            raise UserError(f"{kind} has (almost) no points; is it empty?")
        ratio = n / found if found else 4.0
        margin = 1.05 if source.nested else 1.0
        candidates = min(most, max(candidates + 1, math.ceil(candidates * ratio * margin)))
