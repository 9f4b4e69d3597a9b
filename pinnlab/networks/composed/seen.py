"""Networks that see the unknowns of the equation, such as an exponent that the far field depends on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pinnlab.errors import UserError


class Seen(nn.Module):
    """The unknowns of the equation that a network depends on, as attributes: tensors `()`.

    The network stores no value of an unknown. `bound` gives it the present values of the equation's unknowns at each
    evaluation, so that gradients reach the unknowns through the network. Without them the network gives NaN.

    Example:
        A far field (1 + x²)^{1/(1 + λ)} N(x):

        >>> import torch
        >>> from pinnlab.networks import MLP
        >>> class FarField(nn.Module):
        ...     def __init__(self, inputs, outputs, network=MLP):
        ...         super().__init__()
        ...         self.seen = Seen("lam")
        ...         self.network = network(inputs, outputs)
        ...
        ...     def forward(self, x):
        ...         return (1 + x * x) ** (1 / (1 + self.seen.lam)) * self.network(x)
        >>> network = FarField(1, 1)
        >>> x = torch.ones(3, 1)
        >>> bound(network, {"lam": torch.tensor(1.0)})(x).isfinite().all(), network(x).isnan().all()
        (tensor(True), tensor(True))
    """

    def __init__(self, *names: str) -> None:
        """Names the unknowns.

        Raises:
            UserError: if there is none, or a name is taken by every module.
        """
        super().__init__()
        for name in names:
            if not name.isidentifier() or hasattr(self, name):
                raise UserError(f"Seen: an unknown cannot be called {name!r}, which is another attribute of a module")
            # a slot and no state: checkpoints hold the unknown itself
            self.register_buffer(name, torch.tensor(math.nan), persistent=False)
        if not names:
            raise UserError("Seen needs the name of an unknown, as Seen('lam')")
        self.names = names


def slots(network: nn.Module) -> dict[str, str]:
    """The buffers of a network that stand for unknowns: name of the buffer ↦ name of the unknown."""
    return dict(_slots(network))


def _slots(network: nn.Module) -> Iterator[tuple[str, str]]:
    for prefix, module in network.named_modules():
        if isinstance(module, Seen):
            yield from ((f"{prefix}.{name}".lstrip("."), name) for name in module.names)


class Bound(nn.Module):
    """A network with given values of the unknowns that it sees.

    Example:
        >>> import torch
        >>> from pinnlab.networks import Seen
        >>> class Scaled(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.seen = Seen("c")
        ...
        ...     def forward(self, x):
        ...         return self.seen.c * x
        >>> Bound(Scaled(), {"seen.c": torch.tensor(2.0)})(torch.ones(2, 1)).flatten()
        tensor([2., 2.])
    """

    def __init__(self, network: nn.Module, values: Mapping[str, Tensor]) -> None:
        """Takes the network and the values of its slots, by buffer."""
        super().__init__()
        self.network = network
        self.values = dict(values)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluates at `(N, inputs)`."""
        result: Tensor = functional_call(self.network, self.values, (x,))
        return result


def bound(network: nn.Module, unknowns: Mapping[str, Tensor]) -> nn.Module:
    """The network as a function of the points alone: with the unknowns that it sees at their values.

    Args:
        network: The network; itself, where it sees none.
        unknowns: The values by name.

    Raises:
        UserError: if it sees an unknown that there is not.
    """
    found = slots(network)
    for name in found.values():
        if name not in unknowns:
            has = f"its unknowns are {', '.join(unknowns)}" if unknowns else "it has no unknowns"
            raise UserError(f"the network sees the unknown {name!r}, which the equation lacks: {has}")
    return Bound(network, {slot: unknowns[name] for slot, name in found.items()}) if found else network
