"""Jacobians of residual blocks with respect to all trainable parameters, point by point."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from pinnlab.engines import NTP
from pinnlab.geometry import Points
from pinnlab.residuals.residuals import Residuals


class Linearised(ABC):
    """Residuals at some parameters, with their Jacobian at hand.

    Attributes:
        vector: r, `(M,)`.
    """

    vector: Tensor

    @abstractmethod
    def jacobian(self) -> Tensor:
        """∂r/∂θ, `(M, P)`."""


class Linearisation(Linearised):
    """Residuals r(θ) at given points, with their Jacobian ∂r/∂θ at hand when it is asked for.

    A residual row at a point depends on the parameters through that point alone. Every point is therefore given
    copies of the parameters of its own, expanded without memory: one backward pass per row of a block then
    returns that row's gradient for all points at once, where differentiating the whole block would take one pass
    per point.

    Attributes:
        blocks: The weighted residual blocks by constraint, `(rows, N)`, without a graph.
        vector: r, all blocks flattened one after another, `(M,)`.
    """

    def __init__(
        self,
        residuals: Residuals,
        parameters: Mapping[str, Tensor],
        points: Mapping[str, Points],
        totals: Mapping[str, int] | None = None,
    ) -> None:
        """Evaluates the residuals.

        Args:
            residuals: The residual blocks.
            parameters: The values of the trainable parameters by name, used in place of the module's own.
            points: The points of every constraint.
            totals: The global numbers of points, where the points are one rank's share.
        """
        self._residuals, self._parameters, self._points, self._totals = residuals, parameters, points, totals
        self._own: list[tuple[Tensor, list[Tensor]]] = []
        self.blocks: dict[str, Tensor] = {}
        expands = _expandable(residuals)
        for name, columns in points.items():
            if expands:
                n = len(next(iter(columns.values())))
                own = {key: p.detach().expand(n, *p.shape).requires_grad_() for key, p in parameters.items()}
                with torch.enable_grad():
                    block = _block(residuals, own, name, columns, totals)
                self._own.append((block, list(own.values())))
            else:
                with torch.no_grad():
                    block = _block(residuals, parameters, name, columns, totals)
            self.blocks[name] = block.detach()
        self.vector = flatten(self.blocks)

    def jacobian(self) -> Tensor:
        """∂r/∂θ, `(M, P)`: parameters in the order of the mapping, each flattened.

        The graph is used up: a second call fails.
        """
        if self._own:
            return torch.cat([_expanded(block, own) for block, own in self._own])
        return torch.cat([self._mapped(name, columns) for name, columns in self._points.items()])

    def _mapped(self, name: str, columns: Points) -> Tensor:
        """The rows of one constraint for any differentiable network: vmap over points of reverse mode."""
        n = len(next(iter(columns.values())))
        totals = {**(self._totals or {}), name: (self._totals or {}).get(name, n)}

        def rows(parameters: Mapping[str, Tensor], point: Points) -> Tensor:
            single = {key: column[None] for key, column in point.items()}
            return _block(self._residuals, parameters, name, single, totals)[:, 0]

        jacobians = vmap(jacrev(rows), in_dims=(None, 0))(dict(self._parameters), columns)
        parts = [jacobians[key].flatten(2) for key in self._parameters]  # (N, rows, p) each
        return torch.cat(parts, 2).transpose(0, 1).flatten(0, 1)


def flatten(blocks: Mapping[str, Tensor]) -> Tensor:
    """All blocks as one vector, `(M,)`."""
    return torch.cat([block.flatten() for block in blocks.values()])


def residual_vector(
    residuals: Residuals,
    parameters: Mapping[str, Tensor],
    points: Mapping[str, Points],
    totals: Mapping[str, int] | None = None,
) -> Tensor:
    """r(θ) alone, `(M,)`, without a graph; arguments as for `Linearisation`."""
    with torch.no_grad():
        return flatten({name: _block(residuals, parameters, name, p, totals) for name, p in points.items()})


def _expandable(residuals: Residuals) -> bool:
    """Whether every network parameter enters through a linear layer evaluated on jets, which has a rule for copies."""
    linear = {id(p) for m in residuals.network.modules() if isinstance(m, nn.Linear) for p in m.parameters()}
    return isinstance(residuals.engine, NTP) and all(id(p) in linear for p in residuals.network.parameters())


def _block(
    residuals: Residuals, parameters: Mapping[str, Tensor], name: str, columns: Points, totals: Mapping[str, int] | None
) -> Tensor:
    return functional_call(residuals, dict(parameters), ({name: columns}, totals))[name]


def _expanded(block: Tensor, own: list[Tensor]) -> Tensor:
    n = block.shape[1]
    rows = []
    with torch.enable_grad():
        totals = block.sum(1).unbind()
    for i, total in enumerate(totals):
        gradients = torch.autograd.grad(
            total, own, retain_graph=i + 1 < len(totals), allow_unused=True, materialize_grads=True
        )
        rows.append(torch.cat([gradient.reshape(n, -1) for gradient in gradients], 1))
    return torch.cat(rows)
