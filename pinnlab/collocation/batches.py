"""Batches of points by constraint: an iterable of them, and the share that each rank trains on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from pinnlab.geometry import Points, select

Batch = dict[str, Points]
"""Constraint name → its points."""


class Resumes(Protocol):
    """An object that can begin in the middle of a run.

    Example:
        >>> from types import SimpleNamespace
        >>> resumed: Resumes = SimpleNamespace(first_step=3)
        >>> resumed.first_step
        3
    """

    first_step: int | Callable[[], int]


class Batches:
    """An iterable of ready batches with a length, and with a place to resume from.

    It is no `DataLoader`: there is nothing to collate, to load or to give to workers.

    Example:
        >>> import torch
        >>> batches = Batches(lambda: iter([{"interior": {"x": torch.zeros(2)}}]), length=1)
        >>> [list(batch) for batch in batches], len(batches), batches.state_dict()
        ([['interior']], 1, {'step': 1})
    """

    def __init__(self, iterate: Callable[[], Iterator[Batch]], length: int, resumes: Resumes | None = None) -> None:
        """Take the batches.

        Args:
            iterate: Begins the iteration.
            length: The number of batches from step 0 on, those before a resumed step included.
            resumes: The object whose `first_step` is the step at which the iteration begins.
        """
        self._iterate = iterate
        self._length = length
        self._resumes = resumes
        self._yielded = 0

    def __len__(self) -> int:
        """The number of batches from step 0 on."""
        return self._length

    def __iter__(self) -> Iterator[Batch]:
        """The batches from the first step on."""
        first = self._resumes.first_step if self._resumes else 0
        self._yielded = first() if callable(first) else first
        for batch in self._iterate():
            self._yielded += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """The step of the next batch."""
        return {"step": self._yielded}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Begin at that step, unless a function says where to begin."""
        if self._resumes is not None and not callable(self._resumes.first_step):
            self._resumes.first_step = state_dict["step"]


def minibatch(total: int, n: int, seed: int, draw: int) -> Tensor:
    """Ascending indices `(n,)` of n of `total` points: another part of them at each draw, each point equally often.

    All points in a random order, and then in another one, are cut into pieces of n, and draw i gives piece i. A piece
    that has the end of one order and the beginning of the next may have a point twice.

    Args:
        total: The number of points.
        n: The number to choose.
        seed: Of the orders.
        draw: The number of the draw, from 0.

    Example:
        >>> parts = [minibatch(6, 2, seed=0, draw=draw).tolist() for draw in range(3)]
        >>> sorted(index for part in parts for index in part)
        [0, 1, 2, 3, 4, 5]
    """
    place = draw * n + np.arange(n)
    found = np.empty(n, dtype=np.int64)
    for epoch in np.unique(place // total).tolist():
        order = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(epoch,))).permutation(total)
        here = place // total == epoch
        found[here] = order[place[here] % total]
    return torch.from_numpy(np.sort(found))


def shard(points: Points, rank: int, world: int) -> Points:
    """The share of one rank: points rank, rank + world, rank + 2 world and so on.

    The shares are disjoint and cover all points, odd numbers included; with fewer points than ranks some are
    empty. Sums over ranks are of all points; a share need not be well spread itself (every other point of a Sobol
    sequence lies in one half of the region).

    Args:
        points: Columns of N points.
        rank: The rank, 0, …, world − 1.
        world: The number of ranks.

    Returns:
        Columns of ⌈(N − rank) / world⌉ points.

    Example:
        >>> import torch
        >>> shard({"x": torch.arange(5)}, rank=1, world=2)
        {'x': tensor([1, 3])}
    """
    return select(points, slice(rank, None, world))
