"""n-TangentProp: all derivatives in one forward pass, the network evaluated on a jet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from torch import Tensor, nn

from pinnlab.engines.base import Engine, by_name
from pinnlab.engines.copies import in_linear_layers
from pinnlab.errors import UserError
from pinnlab.jets import Algebra, Field, Jet
from pinnlab.jets.functions.compiled import Compiled
from pinnlab.jets.functions.elementary import Composition
from pinnlab.jets.functions.faa_di_bruno import faa_di_bruno
from pinnlab.jets.functions.recurrence import recurrence
from pinnlab.jets.jet import assemble

_COMPOSITIONS: dict[str, Composition] = {"recurrence": recurrence, "faa_di_bruno": faa_di_bruno}


class NTP(Engine):
    """n-TangentProp (Chickering 2024, arXiv 2412.09752): seed a jet at the points, call the network on it.

    Memory and the matrix products grow linearly in the number of coefficients. The cost of the activations grows
    quadratically in it with the recurrence, and exponentially in √n with the paper's sum over partitions.

    Example:
        >>> import torch
        >>> from pinnlab.engines import NTP
        >>> from pinnlab.jets import IndexSet
        >>> network = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
        >>> fields = NTP().fields(network, {"x": torch.rand(5)}, ("u",), IndexSet.simplex(1, 3))
        >>> u, x = fields["u"], fields["x"]
        >>> u.d(x, x, x).value.shape
        torch.Size([5])
    """

    def __init__(
        self, composition: Literal["recurrence", "faa_di_bruno"] = "recurrence", compile: bool = False
    ) -> None:
        """Chooses how activations act on series.

        Args:
            composition: How activations are composed with series: `recurrence` (O(n²) for order n, the fast one) or
                `faa_di_bruno` (the paper's literal algorithm).
            compile: Whether recurrences run under `torch.compile`: seconds of compilation for every new activation,
                order and batch size, then a fused loop each. Index sets of more than 256 products (beyond order 21
                in one input, 6 in two) are refused where they are first used.

        Raises:
            UserError: for another composition, or one that is not compiled.
        """
        if composition not in _COMPOSITIONS:
            raise UserError(f"NTP has no composition {composition!r}; choose one of {', '.join(_COMPOSITIONS)}")
        if compile and composition != "recurrence":
            raise UserError(f"compile: true is for the recurrence, not for {composition}")
        self.composition = Compiled() if compile else _COMPOSITIONS[composition]

    def fields(
        self, network: nn.Module, coordinates: Mapping[str, Tensor], outputs: Sequence[str], indices: Algebra
    ) -> dict[str, Field]:
        """See `Engine.fields`."""
        where, axes = assemble(coordinates)
        seed = Jet.seed(where, indices, self.composition)
        fields: dict[str, Field] = {name: seed.coordinate(axis) for name, axis in axes.items()}
        return fields | by_name(network(seed), outputs)

    def with_copies(self, network: nn.Module, names: Collection[str]) -> nn.Module | None:
        """See `Engine.with_copies`: on jets, linear layers alone have a rule for copies."""
        return network if in_linear_layers(network, names) else None
