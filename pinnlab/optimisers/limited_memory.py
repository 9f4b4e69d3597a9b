"""L-BFGS with bounds; without bounds it is torch's L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pinnlab.optimisers.bounds import Box
from pinnlab.optimisers.quasi_newton import Inverse, iterate


class Limited(Inverse):
    """H of BFGS from the last pairs (s, y) alone, by the two-loop recursion (Nocedal & Wright 2006, algorithm 7.4).

    Args:
        history: The number of pairs.
    """

    eager = True

    def __init__(self, history: int) -> None:
        self.history = history

    def known(self, memory: dict[str, Any]) -> bool:
        """See `Inverse.known`."""
        return "steps" in memory

    def apply(self, memory: dict[str, Any], vector: Tensor) -> Tensor:
        """See `Inverse.apply`."""
        steps, changes = memory["steps"], memory["changes"]
        products = (steps * changes).sum(1)
        parts: list[Tensor] = []
        for s, y, ys in zip(steps.flip(0), changes.flip(0), products.flip(0), strict=True):
            parts.append((s @ vector) / ys)
            vector = vector - parts[-1] * y
        vector = vector * (products[-1] / (changes[-1] @ changes[-1]))
        for s, y, ys, part in zip(steps, changes, products, reversed(parts), strict=True):
            vector = vector + s * (part - (y @ vector) / ys)
        return vector

    def learn(self, memory: dict[str, Any], s: Tensor, y: Tensor, curvature: float) -> None:
        """See `Inverse.learn`."""
        for key, row in (("steps", s), ("changes", y)):
            before = (
                memory[key][1 - self.history :] if key in memory and self.history > 1 else row[:0].view(0, len(row))
            )
            memory[key] = torch.cat((before, row[None]))

    def forget(self, memory: dict[str, Any]) -> None:
        """See `Inverse.forget`."""
        for key in ("steps", "changes"):
            memory.pop(key, None)


class LimitedBFGS(torch.optim.LBFGS):
    """torch's L-BFGS; where some parameters have bounds, `iterate` with the same number of pairs in its place.

    Example:
        >>> x = torch.nn.Parameter(torch.tensor([0.5]))
        >>> optimizer = LimitedBFGS([x])
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     value = (x - 2).square().sum()
        ...     value.backward()
        ...     return value.detach()
        >>> _ = optimizer.step(closure, box=Box(torch.tensor([0]), low=torch.tensor([0.0]), high=torch.tensor([1.0])))
        >>> round(x.item(), 6)
        1.0
    """

    def forget_gradient(self) -> None:
        """Makes the next step learn nothing from the difference of its first gradient and the last one before.

        torch keeps the last gradient from one step to the next. Where the function has changed, the difference of
        gradients is not due to the step s alone. With s = 0 its pair has no curvature and is left out.
        """
        memory = self.state[self.param_groups[0]["params"][0]]
        if "d" in memory:
            memory["d"] = torch.zeros_like(memory["d"])

    @torch.no_grad()
    def step(self, closure: Callable[[], Any], box: Box | None = None) -> Any:  # type: ignore[override]
        """Takes the group's `max_iter` iterations and returns the loss where they started."""
        if box is None:
            return super().step(closure)
        group = self.param_groups[0]
        parameters = group["params"]
        memory, inverse = self.state[parameters[0]], Limited(group["history_size"])
        return iterate(closure, parameters, memory, inverse, group["max_iter"], box)
