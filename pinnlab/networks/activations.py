"""Activation modules beyond torch's own, each smooth and differentiable on jets."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Sine(nn.Module):
    """x ↦ sin(ω x), elementwise.

    Example:
        >>> import math, torch
        >>> Sine(2.0)(torch.tensor([0.0, math.pi / 4]))
        tensor([0., 1.])
    """

    def __init__(self, frequency: float = 1.0) -> None:
        """Sets the frequency ω."""
        super().__init__()
        self.frequency = frequency

    def forward(self, x: Tensor) -> Tensor:
        """Applies the sine to every element."""
        return torch.sin(x if self.frequency == 1 else self.frequency * x)


class Exp(nn.Module):
    """x ↦ exp(x), elementwise.

    Example:
        >>> import torch
        >>> Exp()(torch.tensor([0.0]))
        tensor([1.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Applies the exponential to every element."""
        return torch.exp(x)


class Gaussian(nn.Module):
    """x ↦ exp(−x²/2), elementwise.

    Example:
        >>> import torch
        >>> Gaussian()(torch.tensor([0.0, 1.0]))
        tensor([1.0000, 0.6065])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Applies the bell to every element."""
        return torch.exp(-0.5 * torch.square(x))


class Adaptive(nn.Module):
    """x ↦ σ(s a x) with a trainable slope a, which begins at 1/s (Jagtap, Kawaguchi & Karniadakis 2020).

    Attributes:
        slope: The slope a, a 0-d parameter.
        scale: The fixed factor s; a larger s makes the slope learn faster.

    Example:
        >>> import torch
        >>> layer = Adaptive(torch.nn.Tanh(), scale=4.0)
        >>> layer.slope.item()
        0.25
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
