"""The Jacobian of rows that use all nodes of their group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from pinnlab.engines.copies import Wrapped, in_linear_layers
from pinnlab.geometry import Points
from pinnlab.jets import Jet
from pinnlab.networks.composed.seen import slots
from pinnlab.residuals.jacobian.functional import affine, own_gradients
from pinnlab.residuals.residuals import Residuals
from pinnlab.residuals.weighting import Factors


def group_jacobian(
    residuals: Residuals,
    parameters: Mapping[str, Tensor],
    name: str,
    group: Points,
    factors: Factors,
    values: Mapping[str, float],
    held: bool,
) -> Tensor:
    """∂r/∂θ for the rows r of one group of nodes, `(R, P)`.

    The rows depend on the network through its Taylor coefficients C at the nodes and places alone, so that

        ∂r/∂θ = (∂r/∂C) (∂C/∂θ) + ∂r/∂p

    with the unknowns p. The first factor never meets the network; in the second, a node's coefficients depend on the
    network at that node alone, and one backward pass per coefficient gives all nodes. Where there are fewer rows than
    coefficients, or the engine or the network has no such series, each row takes a backward pass through everything.

    Args:
        residuals: The residual blocks.
        parameters: The values of the trained parameters by name.
        name: The constraint.
        group: The nodes, columns `(1, M)`.
        factors: The factors on its rows.
        values: The values of the linear unknowns.
        held: Whether the linear unknowns keep their own values.
    """
    calls = _series(residuals, parameters, name, group)
    if calls is not None and sum(call.width for call in calls) < residuals.height(name):
        return _factored(residuals, parameters, name, group, factors, values, held, calls)
    return _by_rows(residuals, parameters, name, group, factors, values, held)


def _by_rows(
    residuals: Residuals,
    parameters: Mapping[str, Tensor],
    name: str,
    group: Points,
    factors: Factors,
    values: Mapping[str, float],
    held: bool,
) -> Tensor:
    """The Jacobian by reverse mode through everything, one pass for each row."""
    leaves = {key: value.detach().clone().requires_grad_() for key, value in parameters.items()}
    with torch.enable_grad():
        block = affine(residuals, leaves, name, group, factors, held).at(values)
        rows = block.flatten().unbind()
    if not block.requires_grad:
        return block.new_zeros(len(rows), sum(leaf.numel() for leaf in leaves.values()))
    gradients = []
    for i, row in enumerate(rows):
        slopes = torch.autograd.grad(
            row, list(leaves.values()), retain_graph=i + 1 < len(rows), allow_unused=True, materialize_grads=True
        )
        gradients.append(torch.cat([slope.flatten() for slope in slopes]))
    return torch.stack(gradients)


class _Call:
    """What the network returned in one call, and the copies of its parameters that each node had.

    Attributes:
        jet: The outputs at the nodes.
        own: The parameters `(M, ...)`.
    """

    def __init__(self, jet: Jet, own: list[Tensor]) -> None:
        self.jet, self.own = jet, own

    @property
    def width(self) -> int:
        """The number of coefficients at a node."""
        return self.jet.coefficients.shape[0] * self.jet.coefficients.shape[2]

    def jacobian(self) -> Tensor:
        """∂C/∂θ with C in the order (coefficient, output, node), `(width · M, P)`."""
        block = self.jet.coefficients.transpose(1, 2)
        return own_gradients(block.flatten(0, 1), self.own)


def _series(residuals: Residuals, parameters: Mapping[str, Tensor], name: str, group: Points) -> list[_Call] | None:
    """The network's calls with copies of its parameters for each node; None where there are no series."""
    network = residuals.network
    if any(f"equation.{name}.parameter" in parameters for name in slots(network).values()):
        return None  # the coefficients depend on more than the network's own parameters
    trained = {key.removeprefix("network."): p for key, p in parameters.items() if key.startswith("network.")}
    if not in_linear_layers(network, trained):
        return None
    recorder = _Recorder(network, trained)
    with torch.enable_grad():
        residuals.with_network(recorder).variables(name, group)
    return recorder.calls if all(isinstance(call.jet, Jet) for call in recorder.calls) else None


class _Recorder(Wrapped):
    """A network that keeps what it returns, called with copies of its parameters for each point."""

    def __init__(self, network: nn.Module, trained: Mapping[str, Tensor]) -> None:
        super().__init__(network)
        self.trained = trained
        self.calls: list[_Call] = []

    def forward(self, x: Any) -> Any:
        nodes = x.shape[0]
        own = {key: p.detach().expand(nodes, *p.shape).requires_grad_() for key, p in self.trained.items()}
        if not isinstance(x, Jet):
            own = {}  # no series, and copies would not fit
        found = functional_call(self.network, own, (x,))
        self.calls.append(_Call(found, list(own.values())))
        return found


class _Replay(nn.Module):
    """A network that returns given outputs, call by call."""

    def __init__(self, jets: Sequence[Jet]) -> None:
        super().__init__()
        self._next: Iterator[Jet] = iter(jets)

    def forward(self, _: Any) -> Jet:
        return next(self._next)


def _factored(
    residuals: Residuals,
    parameters: Mapping[str, Tensor],
    name: str,
    group: Points,
    factors: Factors,
    values: Mapping[str, float],
    held: bool,
    calls: Sequence[_Call],
) -> Tensor:
    """The Jacobian as the product of its two factors."""
    unknowns = {key: value.detach() for key, value in parameters.items() if not key.startswith("network.")}
    coefficients = tuple(call.jet.coefficients.detach() for call in calls)

    def rows(given: tuple[Tensor, ...], own: dict[str, Tensor]) -> Tensor:
        replay = _Replay([call.jet.like(c) for call, c in zip(calls, given, strict=True)])
        return affine(residuals.with_network(replay), own, name, group, factors, held).at(values).flatten()

    with torch.enable_grad():
        by_coefficient, by_unknown = jacrev(rows, argnums=(0, 1))(coefficients, unknowns)
        tangents = [call.jacobian() for call in calls]
    through = sum(
        slope.transpose(2, 3).flatten(1) @ tangent for slope, tangent in zip(by_coefficient, tangents, strict=True)
    )
    assert isinstance(through, Tensor)
    widths = [p.numel() for key, p in parameters.items() if key.startswith("network.")]
    network = iter(through.split(widths, 1))
    parts = [
        next(network) if key.startswith("network.") else by_unknown[key].reshape(len(through), -1) for key in parameters
    ]
    return torch.cat(parts, 1)
