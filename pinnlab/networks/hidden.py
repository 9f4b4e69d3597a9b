"""Networks whose last hidden layer can be asked for: what they have learnt, for other layers to use."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Hidden(Protocol):
    """A network that ends in a linear layer: N(x) = last(hidden(x))."""

    @property
    def last(self) -> nn.Linear:
        """The linear layer at the end."""

    def hidden(self, x: Tensor) -> Tensor:
        """What the linear layer is given for points `(N, inputs)`, `(N, width)`."""


class Layers(nn.Sequential):
    """Layers one after the other, of which the last is linear."""

    @property
    def last(self) -> nn.Linear:
        """The linear layer at the end."""
        layer = self[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def hidden(self, x: Tensor) -> Tensor:
        """What the linear layer is given for points `(N, inputs)`, `(N, width)`."""
        for layer in list(self)[:-1]:
            x = layer(x)
        return x
