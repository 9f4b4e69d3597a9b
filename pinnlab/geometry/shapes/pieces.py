"""Uniform points of shapes that are made of triangles or of sides."""

from __future__ import annotations

import torch
from torch import Tensor


def in_triangles(corners: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Points of triangles (A, B, C), uniform for uniform numbers: (1 − √a) A + √a (1 − b) B + √a b C.

    Args:
        corners: `(N, 3, d)`.
        a: `(N,)`, in [0, 1].
        b: The same.

    Returns:
        The points, `(N, d)`.

    Example:
        >>> in_triangles(torch.eye(3)[None], torch.tensor([1.0]), torch.tensor([0.5]))
        tensor([[0.0000, 0.5000, 0.5000]])
    """
    first, second, third = corners.unbind(1)
    root, b = a.sqrt()[:, None], b[:, None]
    return (1 - root) * first + root * (1 - b) * second + root * b * third


def cumulative(weights: Tensor) -> Tensor:
    """0 = c_0 ≤ c_1 ≤ … ≤ c_T = 1, with steps in proportion to the T weights."""
    steps = torch.cat([weights.new_zeros(1), weights.cumsum(0)])
    return steps / steps[-1]


def choose(cumulative: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """The step in which each u falls, and how far along it u lies, in [0, 1]."""
    u = u.contiguous()
    index = (torch.searchsorted(cumulative, u, right=True) - 1).clamp(0, len(cumulative) - 2)
    lower, upper = cumulative[index], cumulative[index + 1]
    return index, ((u - lower) / (upper - lower)).clamp(0, 1)
