"""n-TangentProp: all derivatives in one forward pass, the network evaluated on a jet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from pinnlab.engines.base import Engine, by_name
from pinnlab.errors import UserError
from pinnlab.jets import Field, IndexSet, Jet
from pinnlab.jets.elementary import recurrence
from pinnlab.jets.faa_di_bruno import faa_di_bruno

_RULES = {"recurrence": recurrence, "faa_di_bruno": faa_di_bruno}


class NTP(Engine):
    """n-TangentProp (Chickering 2024, arXiv 2412.09752): seed a jet at the points, call the network on it.

    Memory and the matrix products grow linearly in the number of coefficients; the activations grow
    quadratically with the recurrence rule and exponentially in √n with the paper's sum over partitions.
    """

    def __init__(self, rule: Literal["recurrence", "faa_di_bruno"] = "recurrence") -> None:
        """Chooses how activations act on series.

        Args:
            rule: `recurrence` (O(n²), the fast one) or `faa_di_bruno` (the paper's literal algorithm).

        Raises:
            UserError: for another rule.
        """
        if rule not in _RULES:
            raise UserError(f"NTP has no rule {rule!r}; choose one of {', '.join(_RULES)}")
        self.rule = _RULES[rule]

    def fields(
        self, network: nn.Module, coordinates: Mapping[str, Tensor], outputs: Sequence[str], indices: IndexSet
    ) -> dict[str, Field]:
        """See `Engine.fields`."""
        points = Jet.seed(torch.stack(tuple(coordinates.values()), -1), indices, self.rule)
        fields: dict[str, Field] = {}
        for axis, name in enumerate(coordinates):
            fields[name] = Jet(points.coefficients[..., axis], indices, axis, self.rule)
        return fields | by_name(network(points), outputs)
