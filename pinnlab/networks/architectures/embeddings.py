"""Embeddings of the input: Fourier features and periodic coordinates, and networks behind them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pinnlab.errors import UserError
from pinnlab.networks.mlp import MLP
from pinnlab.networks.transforms import Build


class FourierFeatures(nn.Module):
    """x ↦ (cos Bx, sin Bx) with fixed random frequencies B ~ N(0, scale²) (Tancik et al. 2020).

    Example:
        >>> import torch
        >>> FourierFeatures(2, 64, scale=3.0)(torch.zeros(5, 2)).shape
        torch.Size([5, 64])
    """

    frequencies: Tensor

    def __init__(self, inputs: int, outputs: int, scale: float = 1.0) -> None:
        """Draws the frequencies.

        Raises:
            UserError: if the number of features is not even and positive.
        """
        super().__init__()
        if outputs < 2 or outputs % 2:
            raise UserError(f"Fourier features come in pairs, got {outputs}")
        self.register_buffer("frequencies", scale * torch.randn(outputs // 2, inputs))

    def forward(self, x: Tensor) -> Tensor:
        """Embeds `(N, inputs)` as `(N, outputs)`."""
        phase = nn.functional.linear(x, self.frequencies)
        return torch.cat((torch.cos(phase), torch.sin(phase)), -1)


class Fourier(nn.Module):
    """N(cos Bx, sin Bx): a network of random Fourier features of the input.

    Example:
        >>> import torch
        >>> Fourier(2, 1, features=32, scale=3.0)(torch.zeros(5, 2)).shape
        torch.Size([5, 1])
    """

    def __init__(self, inputs: int, outputs: int, features: int = 64, scale: float = 1.0, network: Build = MLP) -> None:
        """Builds the features and the inner network."""
        super().__init__()
        self.embedding = FourierFeatures(inputs, features, scale)
        self.network = network(features, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        return self.network(self.embedding(x))


class Periodic(nn.Module):
    """A network that is exactly periodic in chosen inputs: x_i enters as cos and sin of 2πk x_i / period_i, k ≤ K.

    Example:
        u(t, x) of period 2 in x, the column 1:

        >>> import torch
        >>> network = Periodic(2, 1, periods={1: 2.0})
        >>> a, b = network(torch.tensor([[0.3, -1.0]])), network(torch.tensor([[0.3, 1.0]]))
        >>> torch.allclose(a, b, atol=1e-6)
        True
    """

    def __init__(
        self, inputs: int, outputs: int, periods: Mapping[int, float], harmonics: int = 1, network: Build = MLP
    ) -> None:
        """Builds the inner network.

        Args:
            inputs: Columns of the input.
            outputs: Columns of the output.
            periods: The period by column, for the periodic ones.
            harmonics: The largest multiple K of the base frequency.
            network: The inner network, of 2K inputs for every periodic column and one for every other.

        Raises:
            UserError: if a column does not exist, a period is not positive, or there are no harmonics.
        """
        super().__init__()
        columns = {int(column): float(period) for column, period in periods.items()}
        if not columns or any(not 0 <= c < inputs or p <= 0 for c, p in columns.items()) or harmonics < 1:
            raise UserError(f"Periodic needs columns below {inputs} with positive periods, got {dict(periods)}")
        self.periods = columns
        self.harmonics = harmonics
        self.network = network(inputs + (2 * harmonics - 1) * len(columns), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        parts = []
        for column in range(x.shape[-1]):
            part = x[..., column : column + 1]
            if column not in self.periods:
                parts.append(part)
                continue
            phase = (2 * math.pi / self.periods[column]) * part
            for k in range(1, self.harmonics + 1):
                parts += [torch.cos(k * phase), torch.sin(k * phase)]
        return self.network(torch.cat(parts, -1))
