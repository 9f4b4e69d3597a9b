"""Calls of a network: its outputs are recorded with their derivatives in the parameters, and replayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pinnlab.engines.copies import Wrapped, in_linear_layers
from pinnlab.jets import Jet
from pinnlab.networks.composed.seen import slots
from pinnlab.residuals.jacobian.functional import ConstraintRows, own_gradients


class Call:
    """The Taylor coefficients C that the network returned in one call, and the copies of its parameters at each point.

    Attributes:
        jet: The outputs at N points; C is `(S, N, outputs)`.
        own: The trained parameters θ of the network, `(N, ...)` each.
    """

    def __init__(self, jet: Jet, own: list[Tensor]) -> None:
        self.jet, self.own = jet, own

    @property
    def width(self) -> int:
        """W = S · outputs, the number of coefficients at a point."""
        return self.jet.coefficients.shape[0] * self.jet.coefficients.shape[2]

    def jacobian(self) -> Tensor:
        """∂C/∂θ, `(W, N, P)`: a point's coefficients depend on the network at that point alone. Uses the graph up."""
        with torch.enable_grad():
            block = self.jet.coefficients.transpose(1, 2).flatten(0, 1)
        return own_gradients(block, self.own).unflatten(0, (self.width, -1))


def recorded(rows: ConstraintRows, parameters: Mapping[str, Tensor]) -> list[Call] | None:
    """The calls of the network that the rows of a constraint need; None where these are no series in θ alone.

    That is so if the engine hands tensors to the network, the network sees an unknown of the equation, or trained
    parameters are outside of linear layers, which alone take copies for each point.

    Args:
        rows: The rows.
        parameters: The trained parameters θ by name.
    """
    network = rows.residuals.network
    own = {key.removeprefix("network."): p for key, p in parameters.items() if key.startswith("network.")}
    if not own or slots(network) or not in_linear_layers(network, own):
        return None
    recorder = _Recorder(network, own)
    with torch.enable_grad():
        try:
            rows.with_network(recorder).residuals.variables(rows.name, rows.points)
        except _NoSeriesError:
            return None
    return recorder.calls


class _NoSeriesError(Exception):
    """The engine hands tensors to the network, or the network returns some."""


class _Recorder(Wrapped):
    """A network that keeps what it returns, called with copies of its parameters for each point."""

    def __init__(self, network: nn.Module, trained: Mapping[str, Tensor]) -> None:
        super().__init__(network)
        self.trained = trained
        self.calls: list[Call] = []

    def forward(self, x: Any) -> Any:
        if not isinstance(x, Jet):
            raise _NoSeriesError
        own = {key: p.detach().expand(x.shape[0], *p.shape).requires_grad_() for key, p in self.trained.items()}
        found = functional_call(self.network, own, (x,))
        if not isinstance(found, Jet):
            raise _NoSeriesError
        self.calls.append(Call(found, list(own.values())))
        return found


class Replay(nn.Module):
    """A network that returns given outputs, call by call."""

    def __init__(self, jets: Sequence[Jet]) -> None:
        super().__init__()
        self._next: Iterator[Jet] = iter(jets)

    def forward(self, _: Any) -> Jet:
        """The next of the outputs."""
        return next(self._next)
