"""The Jacobian of residual blocks as an operator: products by reverse mode, and the matrix on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from pinnlab.optimisers.linear.operators import LinearOperator
from pinnlab.residuals.elimination import Exchange
from pinnlab.residuals.jacobian.functional import Evaluation


class ResidualJacobian(LinearOperator):
    """J = ∂r/∂θ of all blocks at fixed values of the linear unknowns.

    `dense` computes each block in its fastest way, which may use up the block's graph: it can be called once. The first
    product evaluates the rows once more with a graph through everything. Jᵀ w is then one backward pass. J v is the
    derivative of w ↦ vᵀ Jᵀ w, a linear function of w, by a second backward pass.
    """

    def __init__(
        self,
        evaluations: Sequence[Evaluation],
        parameters: Mapping[str, Tensor],
        values: Mapping[str, float],
        vector: Tensor,
    ) -> None:
        """Takes what was evaluated.

        Args:
            evaluations: The blocks that have rows, in their order.
            parameters: θ by name, in the order of the columns.
            values: The values of the linear unknowns.
            vector: The residuals r, `(M,)`.
        """
        self._evaluations, self._parameters, self._values, self._vector = evaluations, parameters, values, vector

    @property
    def shape(self) -> tuple[int, int]:
        """(M, P)."""
        return len(self._vector), sum(p.numel() for p in self._parameters.values())

    def dense(self) -> Tensor:
        """J, `(M, P)`: parameters in the order of the mapping, each flattened."""
        parts = [evaluation.jacobian(self._values) for evaluation in self._evaluations]
        if not parts:
            return self._vector.new_zeros(self.shape)
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def matvec(self, v: Tensor) -> Tensor:
        """See `LinearOperator.matvec`."""
        rows, leaves = self._graph
        if not rows.requires_grad:
            return torch.zeros_like(rows)
        with torch.enable_grad():
            weights = torch.zeros_like(rows, requires_grad=True)
            slopes = torch.autograd.grad(
                rows, leaves, weights, create_graph=True, allow_unused=True, materialize_grads=True
            )
            product = torch.cat([slope.reshape(-1) for slope in slopes]) @ v
        (found,) = torch.autograd.grad(product, weights, allow_unused=True, materialize_grads=True)
        return found

    def rmatvec(self, w: Tensor) -> Tensor:
        """See `LinearOperator.rmatvec`."""
        rows, leaves = self._graph
        if not rows.requires_grad:
            return w.new_zeros(self.shape[1])
        slopes = torch.autograd.grad(rows, leaves, w, retain_graph=True, allow_unused=True, materialize_grads=True)
        return torch.cat([slope.reshape(-1) for slope in slopes])

    @cached_property
    def _graph(self) -> tuple[Tensor, list[Tensor]]:
        """The rows `(M,)` with their graph, and the parameters in which they can be differentiated."""
        leaves = {key: p.detach().clone().requires_grad_() for key, p in self._parameters.items()}
        with torch.enable_grad():
            blocks = [evaluation.again(leaves).at(self._values).flatten() for evaluation in self._evaluations]
            rows = torch.cat([self._vector[:0], *blocks])
        return rows, list(leaves.values())


class Projected(LinearOperator):
    """(I − S (SᵀS)⁺ Sᵀ) J for columns S: the Jacobian of variable projection.

    S are the derivatives of the residuals in the linear unknowns that are not at a bound (Kaufman 1975).
    """

    def __init__(self, jacobian: LinearOperator, slopes: Sequence[Tensor], ranks: Exchange | None) -> None:
        """Takes both factors.

        Args:
            jacobian: J, this process's rows.
            slopes: The columns of S, `(M,)` each.
            ranks: Who holds the other rows, over which sums are taken; this process alone by default.
        """
        self._jacobian, self._slopes, self._ranks = jacobian, torch.stack(list(slopes)), ranks

    @property
    def shape(self) -> tuple[int, int]:
        """(M, P)."""
        return self._jacobian.shape

    def dense(self) -> Tensor:
        """See `LinearOperator.dense`."""
        return self._project(self._jacobian.dense())

    def matvec(self, v: Tensor) -> Tensor:
        """See `LinearOperator.matvec`."""
        return self._project(self._jacobian.matvec(v)[:, None])[:, 0]

    def rmatvec(self, w: Tensor) -> Tensor:
        """See `LinearOperator.rmatvec`: a projection is its own transpose."""
        return self._jacobian.rmatvec(self._project(w[:, None])[:, 0])

    def _project(self, columns: Tensor) -> Tensor:
        """The columns, `(M, c)`, without their parts along S."""
        slopes = self._slopes
        moments = slopes @ torch.cat((slopes.mT, columns), 1)
        if self._ranks is not None:
            moments = self._ranks.sum(moments)
        count = len(slopes)
        gram, products = moments[:, :count], moments[:, count:]
        # a slope of rounding errors alone spans no direction
        noise = (100 * torch.finfo(gram.dtype).eps) ** 2
        return columns - slopes.mT @ (torch.linalg.pinv(gram, hermitian=True, atol=noise) @ products)
