"""Activation modules beyond torch's own, each smooth and differentiable on jets."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Sine(nn.Module):
    """x ↦ sin(ω x)."""

    def __init__(self, frequency: float = 1.0) -> None:
        """Sets the frequency ω."""
        super().__init__()
        self.frequency = frequency

    def forward(self, x: Tensor) -> Tensor:
        """Applies the sine to every element."""
        return torch.sin(x if self.frequency == 1 else self.frequency * x)


class Exp(nn.Module):
    """x ↦ exp(x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Applies the exponential to every element."""
        return torch.exp(x)


class Gaussian(nn.Module):
    """x ↦ exp(−x²/2)."""

    def forward(self, x: Tensor) -> Tensor:
        """Applies the bell to every element."""
        return torch.exp(-0.5 * torch.square(x))


class Adaptive(nn.Module):
    """x ↦ σ(s a x) with a trainable slope a, which begins at 1/s (Jagtap, Kawaguchi & Karniadakis 2020).

    Attributes:
        slope: The slope a, a 0-d parameter.
        scale: The fixed s, by which the slope learns faster.
    """

    def __init__(self, activation: nn.Module, scale: float = 1.0) -> None:
        """Wraps the activation σ."""
        super().__init__()
        self.activation = activation
        self.scale = scale
        self.slope = nn.Parameter(torch.tensor(1 / scale))

    def forward(self, x: Tensor) -> Tensor:
        """Applies the scaled activation to every element."""
        return self.activation((self.scale * self.slope) * x)
