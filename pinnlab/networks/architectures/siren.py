"""Sinusoidal representation networks."""

from __future__ import annotations

import itertools
import math

from torch import nn

from pinnlab.networks.activations import Sine
from pinnlab.networks.hidden import Layers


class SIREN(Layers):
    """sin(ω (W x + b)) layers with the initialisation that keeps activations normal (Sitzmann et al. 2020).

    Weights are uniform on ±1/inputs in the first layer and ±√(6/width)/ω in the others.

    Example:
        >>> import torch
        >>> SIREN(2, 1, width=16, frequency=10.0)(torch.zeros(5, 2)).shape
        torch.Size([5, 1])
    """

    def __init__(self, inputs: int, outputs: int, width: int = 24, depth: int = 3, frequency: float = 30.0) -> None:
        """Builds `depth` sine layers of the given width and frequency ω."""
        layers: list[nn.Module] = []
        for fan_in, fan_out in itertools.pairwise([inputs, *[width] * depth, outputs]):
            bound = math.sqrt(6 / fan_in) / frequency if layers else 1 / fan_in
            linear = nn.Linear(fan_in, fan_out)
            nn.init.uniform_(linear.weight, -bound, bound)
            layers += [linear, Sine(frequency)]
        super().__init__(*layers[:-1])
