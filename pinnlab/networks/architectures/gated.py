"""Networks that mix two encodings of the input into every layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pinnlab.networks.architectures.embeddings import FourierFeatures
from pinnlab.networks.mlp import Initialisation, initialise
from pinnlab.networks.mlp import activation as _activation


class GatedMLP(nn.Module):
    """The modified MLP (Wang, Teng & Perdikaris 2021): h ← z ⊙ U + (1 − z) ⊙ V with z = σ(W h + b).

    U = σ(W_U x + b_U) and V = σ(W_V x + b_V) are two encodings of the input.

    Example:
        >>> import torch
        >>> GatedMLP(2, 1, width=16)(torch.zeros(5, 2)).shape
        torch.Size([5, 1])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int = 24,
        depth: int = 3,
        activation: str = "tanh",
        initialisation: Initialisation = "xavier_uniform",
    ) -> None:
        """Builds the layers; the arguments are those of `MLP`."""
        super().__init__()
        self.encoders = nn.ModuleList(initialise(nn.Linear(inputs, width), initialisation) for _ in range(2))
        sizes = [inputs, *[width] * depth]
        self.layers = nn.ModuleList(initialise(nn.Linear(size, width), initialisation) for size in sizes[:-1])
        self.last = initialise(nn.Linear(width, outputs), initialisation)
        self.activation = _activation(activation)

    def hidden(self, x: Tensor) -> Tensor:
        """The units of the last hidden layer at `(N, inputs)`, `(N, width)`."""
        u, v = (self.activation(encoder(x)) for encoder in self.encoders)
        difference = u - v
        for layer in self.layers:
            x = v + self.activation(layer(x)) * difference
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        return self.last(self.hidden(x))


class PirateNet(nn.Module):
    """Residual gated blocks that begin as the identity (Wang, Li, Chen & Perdikaris 2024).

    f = σ(W_1 x), z_1 = f ⊙ U + (1 − f) ⊙ V, g = σ(W_2 z_1), z_2 = g ⊙ U + (1 − g) ⊙ V, h = σ(W_3 z_2) and
    x ← α h + (1 − α) x with a trainable α that begins at 0, so that the network begins linear in its embedding.

    Example:
        >>> import torch
        >>> network = PirateNet(2, 1, width=16, blocks=3)
        >>> network(torch.zeros(5, 2)).shape, network.mix
        (torch.Size([5, 1]), Parameter containing:
        tensor([0., 0., 0.], requires_grad=True))
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int = 24,
        blocks: int = 2,
        scale: float = 1.0,
        activation: str = "tanh",
        initialisation: Initialisation = "xavier_uniform",
    ) -> None:
        """Builds the blocks behind random Fourier features of frequency scale `scale`; `width` must be even."""
        super().__init__()
        self.embedding = FourierFeatures(inputs, width, scale)
        self.encoders = nn.ModuleList(initialise(nn.Linear(width, width), initialisation) for _ in range(2))
        self.blocks = nn.ModuleList(
            nn.ModuleList(initialise(nn.Linear(width, width), initialisation) for _ in range(3)) for _ in range(blocks)
        )
        self.mix = nn.Parameter(torch.zeros(blocks))
        self.last = initialise(nn.Linear(width, outputs), initialisation)
        self.activation = _activation(activation)

    def hidden(self, x: Tensor) -> Tensor:
        """The units behind the last block at `(N, inputs)`, `(N, width)`."""
        x = self.embedding(x)
        u, v = (self.activation(encoder(x)) for encoder in self.encoders)
        difference = u - v
        for layers, alpha in zip(self.blocks, self.mix, strict=True):
            assert isinstance(layers, nn.ModuleList)
            first, second, third = layers
            z = v + self.activation(first(x)) * difference
            z = v + self.activation(second(z)) * difference
            x = alpha * self.activation(third(z)) + (1 - alpha) * x
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        return self.last(self.hidden(x))
