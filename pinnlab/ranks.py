"""Exchange between the ranks of a run: sums, maxima and lists over all processes that train one model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from pinnlab.errors import RankError


class Ranks:
    """The processes that train one model together, over the process group that Lightning's strategy made.

    Every method is a joint act: all ranks call it, in the same order, with tensors of the same shape.

    Attributes:
        size: How many there are.
        rank: The number of this one, from 0.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        """Asks the process group, if there is one.

        Args:
            device: Where numbers are exchanged: under NCCL, this rank's GPU.
        """
        self.size = dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
        self.rank = dist.get_rank() if self.size > 1 else 0
        self.device = device

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all ranks, the same bits on each."""
        if self.size > 1:
            tensor = tensor.contiguous()
            dist.all_reduce(tensor)
        return tensor

    def largest(self, number: int) -> int:
        """The largest of the ranks' numbers."""
        if self.size == 1:
            return number
        tensor = torch.tensor(number, device=self.device)
        dist.all_reduce(tensor, dist.ReduceOp.MAX)
        return int(tensor)

    def stack(self, tensor: Tensor) -> Tensor:
        """All ranks' tensors one below the other, `(size · m, ...)` of tensors `(m, ...)`."""
        if self.size == 1:
            return tensor
        parts = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(self.size)]
        dist.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)

    def list(self, value: Any) -> list[Any]:
        """All ranks' values, which may be any that can be pickled."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values


@contextmanager
def lost_ranks() -> Iterator[None]:
    """Says in one line that another rank is gone, where a transport would give a trace of its own.

    Raises:
        RankError: if an exchange failed because a rank died or does not answer.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error) or "NCCL" in str(error):
            raise RankError(
                "another process of this run has died or does not answer, and this one cannot go on alone; the last "
                "checkpoint is whole: continue with --ckpt_path last"
            ) from error
        raise
