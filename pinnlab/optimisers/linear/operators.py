"""Linear operators: a matrix known by its products, written out only where that is asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

# Random vectors in an estimate of a norm.
_PROBES = 8


class LinearOperator(ABC):
    """A linear map J from θ, `(P,)`, to residuals, `(M,)`, such as a Jacobian.

    On several processes each holds some of the rows: `matvec` gives this process's part of J v, and `rmatvec` its
    summand of Jᵀ w.

    Example:
        >>> import torch
        >>> J = Matrix(torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
        >>> J.shape, J.matvec(torch.tensor([1.0, -1.0])), J.rmatvec(torch.ones(3))
        ((3, 2), tensor([-1., -1., -1.]), tensor([ 9., 12.]))
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(M, P)."""

    @abstractmethod
    def matvec(self, v: Tensor) -> Tensor:
        """J v, `(M,)`, for v `(P,)`."""

    @abstractmethod
    def rmatvec(self, w: Tensor) -> Tensor:
        """Jᵀ w, `(P,)`, for w `(M,)`."""

    @abstractmethod
    def dense(self) -> Tensor:
        """J as a matrix, `(M, P)`."""

    def squares(self, scales: Tensor) -> Tensor:
        """‖J diag(s)‖_F² for scales s, `(P,)`, estimated: the mean of ‖J (s ∘ z)‖² over vectors z of random signs.

        The estimate has no bias (Hutchinson 1989). The signs are the same at every call.
        """
        generator = torch.Generator().manual_seed(0)
        signs = torch.randint(0, 2, (_PROBES, len(scales)), generator=generator).to(scales) * 2 - 1
        return torch.stack([self.matvec(scales * sign).square().sum() for sign in signs]).mean()


class Matrix(LinearOperator):
    """A matrix as an operator."""

    def __init__(self, matrix: Tensor) -> None:
        """Takes the matrix, `(M, P)`."""
        self._matrix = matrix

    @property
    def shape(self) -> tuple[int, int]:
        """(M, P)."""
        rows, columns = self._matrix.shape
        return rows, columns

    def matvec(self, v: Tensor) -> Tensor:
        """See `LinearOperator.matvec`."""
        return self._matrix @ v

    def rmatvec(self, w: Tensor) -> Tensor:
        """See `LinearOperator.rmatvec`."""
        return self._matrix.mT @ w

    def dense(self) -> Tensor:
        """The matrix itself."""
        return self._matrix

    def squares(self, scales: Tensor) -> Tensor:
        """‖J diag(s)‖_F², exactly."""
        return (self._matrix.norm(dim=0) * scales).square().sum()


class Columns(LinearOperator):
    """Some columns of an operator."""

    def __init__(self, operator: LinearOperator, chosen: Sequence[int]) -> None:
        """Takes the operator, `(M, P)`, and which columns to keep."""
        self._operator, self._chosen = operator, list(chosen)

    @property
    def shape(self) -> tuple[int, int]:
        """(M, the number of columns)."""
        return self._operator.shape[0], len(self._chosen)

    def matvec(self, v: Tensor) -> Tensor:
        """See `LinearOperator.matvec`."""
        full = v.new_zeros(self._operator.shape[1])
        full[self._chosen] = v
        return self._operator.matvec(full)

    def rmatvec(self, w: Tensor) -> Tensor:
        """See `LinearOperator.rmatvec`."""
        return self._operator.rmatvec(w)[self._chosen]

    def dense(self) -> Tensor:
        """See `LinearOperator.dense`."""
        return self._operator.dense()[:, self._chosen]
