"""Networks whose parameters differ from point to point, for Jacobians point by point."""

from __future__ import annotations

from collections.abc import Collection

from torch import Tensor, nn
from torch.func import functional_call, vmap


class Wrapped(nn.Module):
    """A module that stands in place of a network and holds it, for `functional_call` with the network's parameters."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network


class OwnCopies(Wrapped):
    """A network called with some parameters or buffers `(N, ...)`, one copy for each of N points."""

    def __init__(self, network: nn.Module, copied: Collection[str]) -> None:
        super().__init__(network)
        self.copied = copied

    def forward(self, x: Tensor) -> Tensor:
        """Each point through its own network."""

        def single(parameters: dict[str, Tensor], point: Tensor) -> Tensor:
            return functional_call(self.network, parameters, (point[None],))[0]

        every: dict[str, Tensor] = {**dict(self.network.named_parameters()), **dict(self.network.named_buffers())}
        return vmap(single)({name: value for name, value in every.items() if name in self.copied}, x)


def in_linear_layers(network: nn.Module, names: Collection[str]) -> bool:
    """Whether all of these are parameters of linear layers, which take copies for each point on jets."""
    linear = {id(p) for m in network.modules() if isinstance(m, nn.Linear) for p in m.parameters()}
    return {name for name, p in network.named_parameters() if id(p) in linear}.issuperset(names)
