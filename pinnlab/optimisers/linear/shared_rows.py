"""The rows of a least-squares problem when each rank holds a part of them."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnlab.ranks import Ranks


class Rows:
    """The rows of all ranks, as few as least squares needs, the same on every rank.

    With rank k holding the rows J_k, and J_k = Q_k R_k where it has more of them than there are parameters,

        ‖J v + b‖² = Σ_k ‖R_k v + Q_kᵀ b_k‖² + a part that v does not change,

    so that each rank reduces its own rows to at most P and one exchange gives all of them to every rank. No
    digits are lost, for nothing is squared. Ranks that have fewer rows than others add zeros, which change nothing.

    Attributes:
        jacobian: The stacked R_k, or J_k, `(m, P)`. On one rank it is J itself.
    """

    def __init__(self, jacobian: Tensor, ranks: Ranks) -> None:
        """Reduces this rank's rows and exchanges them.

        Args:
            jacobian: J_k, `(M_k, P)`.
            ranks: Who holds the others.
        """
        self._ranks = ranks
        self._factors: tuple[Tensor, Tensor] | None = None
        if ranks.size == 1:
            self.jacobian = jacobian
            return
        rows, columns = jacobian.shape
        self._height = min(ranks.largest(rows), columns)
        if rows > columns:
            self._factors = torch.geqrf(jacobian)
            jacobian = self._factors[0][:columns].triu()
        self.jacobian = ranks.stack(self._padded(jacobian))

    def together(self, b: Tensor) -> Tensor:
        """The right-hand side that goes with the rows, `(m,)`, from this rank's own, `(M_k,)`."""
        if self._ranks.size == 1:
            return b
        if self._factors is not None:
            columns = self._factors[0].shape[1]
            b = torch.ormqr(*self._factors, b[:, None], transpose=True)[:columns, 0]
        return self._ranks.stack(self._padded(b))

    def _padded(self, tensor: Tensor) -> Tensor:
        return torch.cat((tensor, tensor.new_zeros(self._height - len(tensor), *tensor.shape[1:])))
