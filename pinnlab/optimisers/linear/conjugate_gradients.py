"""Damped linear least squares by conjugate gradients: from products with J alone."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnlab.optimisers.linear.least_squares import Damped, LeastSquares
from pinnlab.optimisers.linear.operators import LinearOperator
from pinnlab.ranks import Ranks


class ConjugateGradients(LeastSquares):
    """By conjugate gradients on (JᵀJ + μI) v = −Jᵀ b, as CGLS, which never forms JᵀJ (Björck 1996, algorithm 7.4.1).

    An inexact solver for Jacobians that do not fit into memory: the matrix is never written out. An iteration costs a
    product with J and one with Jᵀ; it ends when the residual of the normal equations has fallen by `tolerance`, or
    after `iterations`. Digits along small singular values are lost, as the condition number of J is squared.

    Example:
        >>> from pinnlab.optimisers import Matrix
        >>> J, b = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), torch.tensor([1.0, 0.0, -1.0])
        >>> v = ConjugateGradients(Matrix(J)).damped(0.5).solve(b)
        >>> torch.allclose(v, -torch.linalg.solve(J.mT @ J + 0.5 * torch.eye(2), J.mT @ b))
        True
    """

    tolerance = 1e-10
    iterations = 1000

    def __init__(self, jacobian: LinearOperator, ranks: Ranks | None = None) -> None:
        """Takes the operator; nothing is computed yet."""
        self.jacobian, self.ranks = jacobian, ranks or Ranks()

    def damped(self, damping: float) -> Damped:
        """See `LeastSquares.damped`."""

        def solve(b: Tensor) -> Tensor:
            residual = -b
            s = self.ranks.sum(self.jacobian.rmatvec(residual))
            v, direction, gamma = torch.zeros_like(s), s, float(s @ s)
            target = self.tolerance**2 * gamma
            for _ in range(self.iterations):
                if not gamma > target:
                    break
                image = self.jacobian.matvec(direction)
                curvature = float(self.ranks.sum(image @ image)) + damping * float(direction @ direction)
                step = gamma / curvature
                v, residual = v + step * direction, residual - step * image
                s = self.ranks.sum(self.jacobian.rmatvec(residual)) - damping * v
                before, gamma = gamma, float(s @ s)
                direction = s + gamma / before * direction
            return v

        return Damped(damping, solve)

    def serves(self, jacobian: LinearOperator) -> bool:
        """See `LeastSquares.serves`: nothing is kept that could serve again."""
        return False

    @classmethod
    def prepared(cls, jacobian: LinearOperator) -> LinearOperator:
        """See `LeastSquares.prepared`: the operator itself."""
        return jacobian
