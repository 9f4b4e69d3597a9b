"""Jacobians of residual blocks with respect to the network's weights, point by point."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from pinnlab.geometry import Points, select, size
from pinnlab.networks.composed.seen import slots
from pinnlab.optimisers.linearised import Linearised
from pinnlab.residuals.elimination import Affine, Exchange, eliminate, flatten, slope
from pinnlab.residuals.jacobian.functional import affine, own_gradients
from pinnlab.residuals.jacobian.whole import group_jacobian
from pinnlab.residuals.residuals import Residuals
from pinnlab.residuals.weighting import Weighting

# Rows times points up to which a pass over repeated points takes less time than a pass per row (measured).
_REPEAT_LIMIT = 512


class Linearisation(Linearised):
    """Residuals r(θ) at given points, with their Jacobian ∂r/∂θ at hand when it is asked for.

    A residual row at a point depends on the parameters through that point alone. Every point is therefore given
    copies of the trained parameters of its own, expanded without memory: one backward pass per row of a block then
    returns that row's gradient for all points at once, where differentiating the whole block would take one pass
    per point. Where a block is small its points are repeated, once for every row, and a single pass gives all
    rows. Networks with trained parameters outside of linear layers go through `vmap` of `jacrev` instead.

    Linear unknowns are eliminated: r(θ) is the residual at their least-squares values. Its Jacobian is taken as
    the one at fixed values, projected off the directions ∂r/∂λ of the unknowns that are not at a bound (Kaufman
    1975); what that leaves out is of the order of r.

    Attributes:
        blocks: The weighted residual blocks by constraint, `(rows, N)`, without a graph.
        vector: r, all blocks flattened one after another, `(M,)`.
        values: The least-squares values of the linear unknowns.
    """

    def __init__(
        self,
        residuals: Residuals,
        parameters: Mapping[str, Tensor],
        points: Mapping[str, Points],
        weighting: Weighting | None = None,
        ranks: Exchange | None = None,
        held: bool = False,
    ) -> None:
        """Evaluates the residuals.

        Args:
            residuals: The residual blocks.
            parameters: The values of the trained parameters by name, used in place of the module's own.
            points: The points of every constraint.
            weighting: The factors on rows; by default those of the configuration, with means over these points.
            ranks: Who holds the other points; this process alone by default.
            held: Keep the linear unknowns at their values instead of eliminating them.
        """
        residuals = residuals.prepared()
        self._held = held
        self._residuals, self._parameters, self._points = residuals, dict(parameters), points
        self._weighting = weighting or residuals.over(points)
        self._ranks = ranks
        self._own: dict[str, list[Tensor]] = {}
        copies = _with_copies(residuals, parameters)
        self._local = {name: c.local for name, c in residuals.constraints.items()}
        pieces: dict[str, Affine] = {}
        for name, batch in points.items():
            if copies is None or size(batch) == 0 or not self._local[name]:
                with torch.no_grad():
                    pieces[name] = affine(residuals, self._parameters, name, batch, self._weighting[name], held)
                continue
            repeats = _repeats(residuals.height(name), size(batch))
            tiled = {key: column.repeat(repeats, *[1] * (column.ndim - 1)) for key, column in batch.items()}
            n = size(tiled)
            own = {key: p.detach().expand(n, *p.shape).requires_grad_() for key, p in parameters.items()}
            with torch.enable_grad():
                piece = affine(copies, own, name, tiled, self._weighting[name].repeated(repeats), held)
                pieces[name] = piece.map(_own_row) if repeats > 1 else piece
            self._own[name] = list(own.values())
        unknowns = residuals.equation.unknowns()
        self.values = eliminate(pieces, unknowns, ranks)
        with torch.enable_grad():
            self._graph = {name: piece.at(self.values) for name, piece in pieces.items()}
        self.blocks = {name: block.detach() for name, block in self._graph.items()}
        self.vector = flatten(self.blocks)
        self._free = [
            slope(pieces, name)
            for name, value in self.values.items()
            if unknowns[name].limits[0] < value < unknowns[name].limits[1]
        ]

    def jacobian(self) -> Tensor:
        """∂r/∂θ, `(M, P)`: parameters in the order of the mapping, each flattened.

        The graph is used up: a second call fails.
        """
        parts = []
        for name, batch in self._points.items():
            if size(batch) == 0:
                # a rank's share of fewer points than there are ranks
                continue
            own = self._own.get(name)
            if not self._local[name]:
                parts.append(self._nonlocal(name, batch))
            else:
                parts.append(self._mapped(name, batch) if own is None else own_gradients(self._graph[name], own))
        columns = sum(p.numel() for p in self._parameters.values())
        jacobian = torch.cat(parts) if parts else self.vector.new_zeros(0, columns)
        self._graph = {}
        return self._project(jacobian)

    def _project(self, jacobian: Tensor) -> Tensor:
        """J − S (SᵀS)⁺ SᵀJ for the slopes S of the free linear unknowns, sums taken over all ranks."""
        if not self._free:
            return jacobian
        slopes = torch.stack(self._free)
        moments = slopes @ torch.cat((slopes.mT, jacobian), 1)
        if self._ranks is not None:
            moments = self._ranks.sum(moments)
        count = len(slopes)
        gram, products = moments[:, :count], moments[:, count:]
        # a slope of rounding errors alone spans no direction
        noise = (100 * torch.finfo(gram.dtype).eps) ** 2
        return jacobian - slopes.mT @ (torch.linalg.pinv(gram, hermitian=True, atol=noise) @ products)

    def _nonlocal(self, name: str, batch: Points) -> Tensor:
        """The rows of one constraint that use all nodes of their group, `(rows · G, P)`."""
        groups = [select(batch, slice(g, g + 1)) for g in range(size(batch))]
        own = [
            group_jacobian(self._residuals, self._parameters, name, group, some, self.values, self._held)
            for group, some in zip(groups, self._weighting[name].each(len(groups)), strict=True)
        ]
        return torch.stack(own, 1).flatten(0, 1)

    def _mapped(self, name: str, batch: Points) -> Tensor:
        """The rows of one constraint for any differentiable network: vmap over points of reverse mode."""
        factors = self._weighting[name]

        def rows(parameters: dict[str, Tensor], point: Points, weight: Tensor | None) -> Tensor:
            single = {key: column[None] for key, column in point.items()}
            own = replace(factors, points=None if weight is None else weight[None])
            return affine(self._residuals, parameters, name, single, own, self._held).at(self.values)[:, 0]

        mapped = vmap(jacrev(rows), in_dims=(None, 0, None if factors.points is None else 0))
        jacobians = mapped(self._parameters, batch, factors.points)
        parts = [jacobians[key].reshape(*jacobians[key].shape[:2], -1) for key in self._parameters]  # (N, rows, p) each
        return torch.cat(parts, 2).transpose(0, 1).flatten(0, 1)


def _with_copies(residuals: Residuals, parameters: Collection[str]) -> Residuals | None:
    """Residuals whose network takes copies of these parameters per point; None where none is known how to build.

    Other parameters, which are frozen, are the same for all points.
    """
    network = residuals.network
    names = {name.removeprefix("network.") for name in parameters if name.startswith("network.")}
    # an unknown that the network sees is a parameter of the network as well
    names |= {slot for slot, unknown in slots(network).items() if f"equation.{unknown}.parameter" in parameters}
    copies = residuals.engine.with_copies(network, names)
    return None if copies is None else residuals.with_network(copies)


def _repeats(rows: int, points: int) -> int:
    """How often to repeat the points: once per row while a pass is bound by its number of operations."""
    return rows if rows * points <= _REPEAT_LIMIT else 1


def _own_row(block: Tensor) -> Tensor:
    """Row i at the i-th repetition of the points, `(rows, N)`, of a block `(rows, rows · N)`."""
    rows = block.shape[0]
    return block.view(rows, rows, -1).diagonal().mT
