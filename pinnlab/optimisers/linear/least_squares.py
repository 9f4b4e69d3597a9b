"""Damped linear least squares with rows on several ranks: the inner problem of Gauss-Newton steps."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnlab.optimisers.linear.operators import LinearOperator, Matrix
from pinnlab.optimisers.linear.shared_rows import Rows
from pinnlab.optimisers.linear.structured import damped_triangle, gram
from pinnlab.ranks import Ranks


@dataclass(frozen=True)
class Damped:
    """The damped problem min_v ‖J v + b‖² + μ ‖v‖² factorised, for several b.

    Attributes:
        damping: μ, or more where the factorisation needs it.
        solve: Maps b, this rank's `(M,)`, to the minimiser v, `(P,)`, the same on all ranks; NaN where rounding errors
            left no factors.
    """

    damping: float
    solve: Callable[[Tensor], Tensor]


class LeastSquares(ABC):
    """Least squares of one Jacobian J, of which each rank holds some rows; all ranks call everything together."""

    @abstractmethod
    def __init__(self, jacobian: LinearOperator, ranks: Ranks | None = None) -> None:
        """Does what every damping needs.

        Args:
            jacobian: This rank's rows, `(M, P)`, as `prepared` returned them.
            ranks: Who holds the others; this process alone by default.
        """

    @abstractmethod
    def damped(self, damping: float) -> Damped:
        """Factorises for a damping μ > 0."""

    @abstractmethod
    def serves(self, jacobian: LinearOperator) -> bool:
        """Whether this rank's part of another Jacobian is the same to the last bit, so that its factors are these."""

    @classmethod
    @abstractmethod
    def prepared(cls, jacobian: LinearOperator) -> LinearOperator:
        """The Jacobian in the form that the solver and the step around it use: a matrix, or the operator itself."""


class _Direct(LeastSquares):
    """A solver that factorises the matrix.

    Attributes:
        matrix: This rank's rows of J.
    """

    matrix: Tensor

    def serves(self, jacobian: LinearOperator) -> bool:
        """See `LeastSquares.serves`."""
        return torch.equal(self.matrix, jacobian.dense())

    @classmethod
    def prepared(cls, jacobian: LinearOperator) -> LinearOperator:
        """See `LeastSquares.prepared`: the matrix, written out once."""
        return Matrix(jacobian.dense())


class Orthogonal(_Direct):
    """By QR factors of J and never of JᵀJ: no digits are lost to squaring.

    J, or Jᵀ where there are fewer rows than parameters, is factorised once for all dampings, J = Q R, and the triangle
    with the damping below it for each. With fewer rows than parameters v is the head of the minimum-norm solution of
    [J, √μ I] (v; s) = −b, from the factors of [J, √μ I]ᵀ; otherwise the least-squares solution of
    [J; √μ I] v = (−b; 0).

    Example:
        >>> J, b = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), torch.tensor([1.0, 0.0, -1.0])
        >>> v = Orthogonal(Matrix(J)).damped(0.5).solve(b)
        >>> torch.allclose(v, -torch.linalg.solve(J.mT @ J + 0.5 * torch.eye(2), J.mT @ b), atol=1e-5)
        True
    """

    def __init__(self, jacobian: LinearOperator, ranks: Ranks | None = None) -> None:
        self.matrix = jacobian.dense()
        self.rows = Rows(self.matrix, ranks or Ranks())
        rows, columns = self.rows.jacobian.shape
        self.wide = rows < columns
        self.factor, self.tau = torch.geqrf(self.rows.jacobian.mT if self.wide else self.rows.jacobian)
        # stored by columns, as LAPACK takes it
        self.triangle = self.factor[: self.factor.shape[1]].mT.contiguous().mT

    def damped(self, damping: float) -> Damped:
        """See `LeastSquares.damped`."""
        size, n = self.factor.shape
        made = damped_triangle(self.triangle, damping)

        def solve(b: Tensor) -> Tensor:
            b = self.rows.together(b)
            if self.wide:
                y = torch.linalg.solve_triangular(made.upper.mT, -b[:, None], upper=False)[:, 0]
                full = torch.cat((made.rotated_back(y), y.new_zeros(size - n)))
                return torch.ormqr(self.factor, self.tau, full[:, None])[:, 0]
            c = torch.ormqr(self.factor, self.tau, -b[:, None], transpose=True)[:n, 0]
            return torch.linalg.solve_triangular(made.upper, made.rotated(c)[:, None], upper=True)[:, 0]

        return Damped(damping, solve)


class Normal(_Direct):
    """By Cholesky factors of J Jᵀ + μI (fewer rows than parameters) or JᵀJ + μI: faster, half the digits.

    The lower triangle of the Gram matrix is made once for all dampings. JᵀJ is a sum over the ranks: each multiplies
    its own rows. Rounding errors hide directions with singular values under about 1e-8 of the largest. The damping is
    therefore kept above 1e-14 of the largest diagonal entry.

    Example:
        >>> J, b = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), torch.tensor([1.0, 0.0, -1.0])
        >>> v = Normal(Matrix(J)).damped(0.5).solve(b)
        >>> torch.allclose(v, -torch.linalg.solve(J.mT @ J + 0.5 * torch.eye(2), J.mT @ b), atol=1e-5)
        True
    """

    def __init__(self, jacobian: LinearOperator, ranks: Ranks | None = None) -> None:
        self.ranks = ranks or Ranks()
        self.matrix = matrix = jacobian.dense()
        # as many rows as the fullest rank has stand for each: all decide alike
        self.dual = self.ranks.size * self.ranks.largest(matrix.shape[0]) < matrix.shape[1]
        self.rows = Rows(matrix, self.ranks) if self.dual else None
        self.jacobian = self.rows.jacobian if self.rows else matrix
        self.gram = gram(self.jacobian, of_rows=True) if self.dual else self.ranks.sum(gram(matrix))
        self.floor = 50 * torch.finfo(self.gram.dtype).eps * float(self.gram.diagonal().max())

    def damped(self, damping: float) -> Damped:
        """See `LeastSquares.damped`."""
        damping = max(damping, self.floor)
        shifted = self.gram.clone()
        shifted.diagonal().add_(damping)
        # reads the lower triangle alone
        factor, failed = torch.linalg.cholesky_ex(shifted)
        if bool(failed):
            # a larger damping may have factors
            factor = torch.full_like(factor, math.nan)

        def solve(b: Tensor) -> Tensor:
            if self.rows:
                return -self.jacobian.mT @ torch.cholesky_solve(self.rows.together(b)[:, None], factor)[:, 0]
            gradient = self.ranks.sum(self.jacobian.mT @ b)
            return -torch.cholesky_solve(gradient[:, None], factor)[:, 0]

        return Damped(damping, solve)
