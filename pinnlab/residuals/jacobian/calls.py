"""Calls of a network: its outputs are recorded with their derivatives in the parameters, and replayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(eq=False)
class AffineCall:
    """The Taylor coefficients of one call of a network that is affine in its trained parameters, C(θ) = C₀ + Φ θ.

    The last product (∂r/∂C) Φ is kept, for where the residual is linear, ∂r/∂C is the same at every step.

    Attributes:
        constant: The jet at θ = 0 with the coefficients C₀, `(S, N, outputs)`.
        features: Φ, `(W, N, P)` with W = S · outputs: the jets of the features, where the last layer alone is trained.
    """

    constant: Jet
    features: Tensor
    _last: tuple[Tensor, Tensor] | None = field(default=None, init=False, repr=False)

    @property
    def nbytes(self) -> int:
        """The bytes of the features and of the product that is kept."""
        return self.features.nbytes + (0 if self._last is None else self._last[1].nbytes)

    def among(self, nodes: slice) -> AffineCall:
        """The call at some of the points."""
        constant = self.constant
        return AffineCall(constant.like(constant.coefficients[:, nodes]), self.features[:, nodes])

    def at(self, theta: Tensor) -> Tensor:
        """C(θ), `(S, N, outputs)`."""
        first = self.constant.coefficients
        s, n, outputs = first.shape
        return first + (self.features.flatten(0, 1) @ theta).view(s, outputs, n).transpose(1, 2)

    def through(self, slopes: Tensor) -> Tensor:
        """(∂r/∂C) Φ for rows that use their own point alone, `(R, N, P)`, from ∂r/∂C, `(R, S, N, outputs)`."""
        if self._last is None or not torch.equal(slopes, self._last[0]):
            by_point = slopes.permute(2, 0, 1, 3).flatten(2)
            product = torch.bmm(by_point, self.features.transpose(0, 1)).transpose(0, 1)
            self._last = slopes, product.contiguous()
        return self._last[1]

    def through_all(self, slopes: Tensor) -> Tensor:
        """(∂r/∂C) Φ for rows that use all points, `(R, P)`, from ∂r/∂C, `(R, S, N, outputs)`."""
        return slopes.transpose(2, 3).flatten(1) @ self.features.flatten(0, 1)


def recorded(rows: ConstraintRows, parameters: Mapping[str, Tensor], copies: int = 1) -> list[Call] | None:
    """The calls of the network that the rows of a constraint need; None where these are no series in θ alone.

    That is so if the engine hands tensors to the network, the network sees an unknown of the equation, or trained
    parameters are outside of linear layers, which alone take copies for each point.

    Args:
        rows: The rows.
        parameters: The trained parameters θ by name.
        copies: If more than 1, each parameter has this number of values, `(copies, ...)`, and the points are as many
            equal parts one after another, each of which has its own.
    """
    network = rows.residuals.network
    own = {
        key.removeprefix("network."): p if copies > 1 else p[None]
        for key, p in parameters.items()
        if key.startswith("network.")
    }
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
        """Takes the network and its trained parameters, `(1, ...)` for all points or `(n, ...)` for n parts of them."""
        super().__init__(network)
        self.trained = {key: p.detach() for key, p in trained.items()}
        self.calls: list[Call] = []

    def forward(self, x: Any) -> Any:
        if not isinstance(x, Jet):
            raise _NoSeriesError
        n = x.shape[0]
        own = {
            key: (p.expand(n, *p.shape[1:]) if len(p) == 1 else p.repeat_interleave(n // len(p), 0)).requires_grad_()
            for key, p in self.trained.items()
        }
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
