"""Networks of residual blocks."""

from __future__ import annotations

from torch import Tensor, nn

from pinnlab.networks.mlp import Initialisation, initialise
from pinnlab.networks.mlp import activation as _activation


class ResidualMLP(nn.Module):
    """Blocks h ← h + σ(W_2 σ(W_1 h)), each after a layer normalisation if `normalise` is set.

    Example:
        >>> import torch
        >>> ResidualMLP(2, 1, width=16, blocks=3)(torch.zeros(5, 2)).shape
        torch.Size([5, 1])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int = 24,
        blocks: int = 2,
        activation: str = "tanh",
        normalise: bool = False,
        initialisation: Initialisation = "xavier_uniform",
    ) -> None:
        """Builds a linear layer into the width, the blocks, and a linear layer out of it."""
        super().__init__()
        self.first = initialise(nn.Linear(inputs, width), initialisation)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width) if normalise else nn.Identity(),
                initialise(nn.Linear(width, width), initialisation),
                _activation(activation),
                initialise(nn.Linear(width, width), initialisation),
                _activation(activation),
            )
            for _ in range(blocks)
        )
        self.last = initialise(nn.Linear(width, outputs), initialisation)

    def hidden(self, x: Tensor) -> Tensor:
        """The units behind the last block at `(N, inputs)`, `(N, width)`."""
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        return self.last(self.hidden(x))
