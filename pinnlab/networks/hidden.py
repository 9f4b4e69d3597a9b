"""Networks that give access to their last hidden layer, whose features other layers can use."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Hidden(Protocol):
    """A network that ends in a linear layer: N(x) = last(hidden(x)).

    Example:
        >>> from pinnlab.networks import MLP, Odd
        >>> isinstance(MLP(1, 1), Hidden), isinstance(Odd(1, 1), Hidden)
        (True, False)
    """

    @property
    def last(self) -> nn.Linear:
        """The linear layer at the end."""

    def hidden(self, x: Tensor) -> Tensor:
        """The values `(N, width)` of the last hidden layer at points `(N, inputs)`."""


class Layers(nn.Sequential):
    """Layers in sequence, of which the last is linear.

    Example:
        >>> import torch
        >>> layers = Layers(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
        >>> layers.hidden(torch.zeros(3, 1)).shape, layers.last.out_features
        (torch.Size([3, 4]), 2)
    """

    @property
    def last(self) -> nn.Linear:
        """The linear layer at the end."""
        layer = self[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def hidden(self, x: Tensor) -> Tensor:
        """The values `(N, width)` of the last hidden layer at points `(N, inputs)`."""
        for layer in list(self)[:-1]:
            x = layer(x)
        return x
