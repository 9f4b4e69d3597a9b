"""Bounds of some of the parameters: how far a step may go, and the quadratic model's minimum within bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnlab.optimisers.linear.bounded_least_squares import bounded_least_squares

# The part of the way to a bound that one step may take (the fraction-to-boundary rule of interior-point methods,
# Nocedal & Wright 2006, eq. 19.9; the number is that of scipy's trust-region reflective method). A far overshoot of the
# first steps would otherwise end on the bound itself, where the slope of a residual such as u - cos(s) may be zero.
_FRACTION = 0.995


@dataclass(frozen=True)
class Room:
    """How far each bounded component may move from where it is.

    Attributes:
        indices: The bounded components of θ, `(b,)`.
        low: The largest change downwards, `(b,)`, not positive.
        high: The largest change upwards, `(b,)`, not negative.
    """

    indices: Tensor
    low: Tensor
    high: Tensor

    def beyond(self, step: Tensor) -> Tensor:
        """Which of the bounded components a step takes too far, `(b,)`."""
        parts = step[self.indices]
        return (parts < self.low) | (parts > self.high)

    def clip(self, step: Tensor) -> Tensor:
        """The step with its bounded components moved no further than they may."""
        step = step.clone()
        step[self.indices] = step[self.indices].clamp(self.low, self.high)
        return step

    def closed(self, gradient: Tensor) -> Tensor:
        """Which bounded components are at a bound that descent pushes them against, `(b,)`.

        Args:
            gradient: Of the function, along the bounded components, `(b,)`.
        """
        return ((self.high == 0) & (gradient < 0)) | ((self.low == 0) & (gradient > 0))

    def longest(self, direction: Tensor) -> float:
        """The largest t for which t times the direction stays inside."""
        parts = direction[self.indices]
        ends = torch.where(parts > 0, self.high / parts, torch.where(parts < 0, self.low / parts, torch.inf))
        return float(ends.min())


@dataclass(frozen=True)
class Box:
    """The bounds of some components of the flattened parameters θ.

    Attributes:
        indices: Which, `(b,)`.
        low: Their least values, `(b,)`.
        high: Their largest values, `(b,)`.

    Example:
        >>> box = Box(torch.tensor([1]), low=torch.tensor([0.0]), high=torch.tensor([2.0]))  # 0 <= θ_1 <= 2
        >>> box.project(torch.tensor([5.0, 5.0]))
        tensor([5., 2.])
    """

    indices: Tensor
    low: Tensor
    high: Tensor

    def room(self, theta: Tensor) -> Room:
        """How far a step from θ may go: nearly to a bound, or onto it from as near as rounding errors."""
        x = theta[self.indices]
        near = 8 * torch.finfo(theta.dtype).eps * torch.maximum(self.low.abs(), self.high.abs())
        down, up = (torch.where(rest.abs() <= near, rest, _FRACTION * rest) for rest in (self.low - x, self.high - x))
        return Room(self.indices, down.clamp(max=0.0), up.clamp(min=0.0))

    def project(self, theta: Tensor) -> Tensor:
        """θ with its bounded components within the bounds, whatever rounding made of a step to one."""
        theta = theta.clone()
        theta[self.indices] = theta[self.indices].clamp(self.low, self.high)
        return theta


def direction(apply: Callable[[Tensor], Tensor], gradient: Tensor, room: Room | None) -> tuple[Tensor, Tensor]:
    """The step d to the minimum of g·d + ½ d·H⁻¹d within bounds, and the vector q with d = −H q.

    Without bounds in the way q is the gradient g. The bounded components p of the step solve the small problem

        min (p − p*)ᵀ (H_pp)⁻¹ (p − p*),    p* those of −H g,

    and the others follow: q = g + E λ with λ = −(H_pp)⁻¹ (p − p*), E the unit vectors of the bounded components.

    Args:
        apply: Maps a vector v, `(P,)`, to H v, with H symmetric and positive definite.
        gradient: g, `(P,)`.
        room: How far the bounded components may go; None without any.
    """
    d = -apply(gradient)
    if room is None or not bool(room.beyond(d).any()):
        return d, gradient
    units = torch.zeros(len(room.indices), len(gradient), dtype=gradient.dtype, device=gradient.device)
    units[torch.arange(len(room.indices)), room.indices] = 1.0
    columns = torch.stack([apply(unit) for unit in units])
    wanted, metric = d[room.indices], columns[:, room.indices]
    values, vectors = torch.linalg.eigh((metric + metric.mT) / 2)
    values = values.clamp(min=torch.finfo(values.dtype).eps * float(values[-1]))
    whitened = vectors.mT / values.sqrt()[:, None]
    p = bounded_least_squares(whitened, -whitened @ wanted, room.low, room.high)
    multipliers = vectors @ (vectors.mT @ (p - wanted) / values)
    d = d + multipliers @ columns
    d[room.indices] = p
    return d, gradient - multipliers @ units
