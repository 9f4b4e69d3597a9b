"""Damped Gauss-Newton steps on a residual vector, with geodesic acceleration."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor


class Linearised(Protocol):
    """Residuals at some parameters, with their Jacobian at hand."""

    vector: Tensor

    def jacobian(self) -> Tensor:
        """∂r/∂θ, `(M, P)`."""


class Damped:
    """min_v ‖J v + b‖² + μ ‖v‖² for several b, from one orthogonal factorisation of J and never of JᵀJ.

    With fewer rows than parameters v is the head of the minimum-norm solution of [J, √μ I] (v; s) = −b, from the
    QR factors of [J, √μ I]ᵀ; otherwise the least-squares solution of [J; √μ I] v = (−b; 0).
    """

    def __init__(self, jacobian: Tensor, damping: float) -> None:
        """Factorises; J is `(M, P)`."""
        self.rows, self.columns = jacobian.shape
        wide = self.rows < self.columns
        a = jacobian.mT if wide else jacobian
        root = torch.eye(a.shape[1], dtype=a.dtype, device=a.device) * math.sqrt(damping)
        self.factor, self.tau = torch.geqrf(torch.cat((a, root)))

    def solve(self, b: Tensor) -> Tensor:
        """The minimiser v, `(P,)`, for a right-hand side b, `(M,)`."""
        n, size = self.factor.shape[1], self.factor.shape[0]
        upper = self.factor[:n]
        if self.rows < self.columns:
            y = torch.linalg.solve_triangular(upper.triu().mT, -b[:, None], upper=False)
            full = torch.cat((y, y.new_zeros(size - n, 1)))
            return torch.ormqr(self.factor, self.tau, full)[: self.columns, 0]
        full = torch.cat((-b, b.new_zeros(size - self.rows)))[:, None]
        rotated = torch.ormqr(self.factor, self.tau, full, transpose=True)[:n]
        return torch.linalg.solve_triangular(upper.triu(), rotated, upper=True)[:, 0]
