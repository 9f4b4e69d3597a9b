"""Random weight factorisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pinnlab.networks.mlp import MLP
from pinnlab.networks.transforms import Build


class FactorisedLinear(nn.Module):
    """A linear layer with W = diag(exp s) V: a trainable scale for every unit (Wang et al. 2022, arXiv 2210.01274).

    Example:
        >>> import torch
        >>> plain, x = torch.nn.Linear(3, 4), torch.ones(2, 3)
        >>> torch.allclose(FactorisedLinear(plain)(x), plain(x), atol=1e-6)
        True
    """

    def __init__(self, linear: nn.Linear, mean: float = 1.0, deviation: float = 0.1) -> None:
        """Factorises an initialised layer with s ~ N(mean, deviation²); W keeps its values."""
        super().__init__()
        self.log_scale = nn.Parameter(mean + deviation * torch.randn(linear.out_features))
        self.direction = nn.Parameter(linear.weight.detach() / self.log_scale.detach().exp()[:, None])
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """X Wᵀ + b for `(N, inputs)`."""
        return nn.functional.linear(x, self.log_scale.exp()[:, None] * self.direction, self.bias)


class Factorised(nn.Module):
    """A network whose linear layers are `FactorisedLinear`.

    Example:
        >>> from functools import partial
        >>> from pinnlab.networks import MLP
        >>> network = Factorised(2, 1, network=partial(MLP, width=8, depth=1))
        >>> type(network.network[0]).__name__
        'FactorisedLinear'
    """

    def __init__(
        self, inputs: int, outputs: int, mean: float = 1.0, deviation: float = 0.1, network: Build = MLP
    ) -> None:
        """Builds the inner network and factorises its linear layers, at any depth."""
        super().__init__()
        self.network = network(inputs, outputs)
        for module in list(self.network.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, nn.Linear):
                    setattr(module, name, FactorisedLinear(child, mean, deviation))

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        return self.network(x)
