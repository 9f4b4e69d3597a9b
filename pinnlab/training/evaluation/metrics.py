"""Errors and residual norms on held-out points, as plain functions and as torchmetrics that add up over ranks."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric


def relative_l2(prediction: Tensor, target: Tensor) -> Tensor:
    """‖prediction - target‖₂ / ‖target‖₂ over all entries, 0-d; infinite or NaN where the target is zero."""
    return (prediction - target).norm() / target.norm()


def max_error(prediction: Tensor, target: Tensor) -> Tensor:
    """The largest |prediction - target| over all entries, 0-d."""
    return (prediction - target).abs().max()


class RelativeL2(Metric):
    """`relative_l2` over all updates and ranks."""

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    error: Tensor
    norm: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("error", torch.zeros(()), dist_reduce_fx="sum")
        self.add_state("norm", torch.zeros(()), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add the squares of errors and targets, any equal shapes."""
        self.error = self.error + (prediction - target).square().sum()
        self.norm = self.norm + target.square().sum()

    def compute(self) -> Tensor:
        """The ratio of the two norms."""
        return (self.error / self.norm).sqrt()


class MaxError(Metric):
    """`max_error` over all updates and ranks."""

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    largest: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("largest", torch.zeros(()), dist_reduce_fx="max")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Keep the largest error so far, any equal shapes."""
        self.largest = torch.maximum(self.largest, max_error(prediction, target))

    def compute(self) -> Tensor:
        """The largest error."""
        return self.largest


class RootMeanSquare(Metric):
    """√mean(values²) over all updates and ranks."""

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    squares: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("squares", torch.zeros(()), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros(()), dist_reduce_fx="sum")

    def update(self, values: Tensor) -> None:
        """Add the squares of the values, any shape."""
        self.squares = self.squares + values.square().sum()
        self.count = self.count + values.numel()

    def compute(self) -> Tensor:
        """The root of the mean square."""
        return (self.squares / self.count).sqrt()
