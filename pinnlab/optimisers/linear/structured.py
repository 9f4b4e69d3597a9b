"""Products and factors of matrices with structure, by the routines of BLAS and LAPACK that use it.

On a CPU, from float64 and float32; elsewhere general products and factors give the same numbers to rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.linalg.blas import dsyrk, ssyrk
from scipy.linalg.lapack import dtpmqrt, dtpqrt, stpmqrt, stpqrt
from threadpoolctl import ThreadpoolController
from torch import Tensor

_PRODUCTS = {torch.float64: dsyrk, torch.float32: ssyrk}
_FACTORS = {torch.float64: (dtpqrt, dtpmqrt), torch.float32: (stpqrt, stpmqrt)}
# Columns that LAPACK takes together.
_BLOCK = 64

# Threads of scipy's libraries, found once: finding them takes longer than a small product.
_THREADS = ThreadpoolController()


def _has_routines(matrix: Tensor) -> bool:
    return matrix.device.type == "cpu" and matrix.dtype in _PRODUCTS and matrix.numel() > 0


def gram(matrix: Tensor, of_rows: bool = False) -> Tensor:
    """The lower triangle of Aᵀ A, `(P, P)`, or of A Aᵀ, `(M, M)`; zeros above it.

    A symmetric rank-k product takes half the work of a general one. The matrix is read as it lies in memory.

    Args:
        matrix: A, `(M, P)`.
        of_rows: Take A Aᵀ in place of Aᵀ A.

    Example:
        >>> gram(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[10.,  0.],
                [14., 20.]])
    """
    if not _has_routines(matrix):
        return (matrix @ matrix.mT if of_rows else matrix.mT @ matrix).tril()
    # BLAS has columns first: in its eyes a matrix stored by rows is the transposed one, and upper is lower
    found = _PRODUCTS[matrix.dtype](1.0, matrix.detach().contiguous().numpy().T, trans=int(of_rows), lower=0)
    return torch.from_numpy(found.T)


@dataclass(frozen=True)
class DampedTriangle:
    """The factors [R; √μ I] = Q [U; 0] of a triangle R with a damping μ below it.

    LAPACK's `tpqrt` leaves out the zeros of both triangles, which is a fifth of the work of general factors.

    Attributes:
        upper: U, `(n, n)`, of which the upper triangle counts.
    """

    upper: Tensor
    _reflectors: tuple[Any, Any]
    _structured: bool

    def rotated(self, vector: Tensor) -> Tensor:
        """The first n entries of Qᵀ (c; 0), `(n,)`, for c `(n,)`."""
        n = len(vector)
        if self._structured:
            return self._apply(vector, "T")
        full = torch.cat((vector, vector.new_zeros(n)))[:, None]
        return torch.ormqr(*self._reflectors, full, transpose=True)[:n, 0]

    def rotated_back(self, vector: Tensor) -> Tensor:
        """The first n entries of Q (c; 0), `(n,)`, for c `(n,)`."""
        n = len(vector)
        if self._structured:
            return self._apply(vector, "N")
        full = torch.cat((vector, vector.new_zeros(n)))[:, None]
        return torch.ormqr(*self._reflectors, full)[:n, 0]

    def _apply(self, vector: Tensor, transpose: str) -> Tensor:
        n = len(vector)
        column = vector.numpy()[:, None]
        with _THREADS.limit(limits=1, user_api="blas"):
            top, _, _ = _FACTORS[vector.dtype][1](n, *self._reflectors, column, np.zeros_like(column), trans=transpose)
        return torch.from_numpy(top[:, 0])


def damped_triangle(triangle: Tensor, damping: float) -> DampedTriangle:
    """The factors of [R; √μ I].

    Args:
        triangle: R, `(n, n)`, of which the upper triangle counts; stored by columns it is not copied.
        damping: μ.

    Example:
        >>> damped_triangle(torch.tensor([[3.0]]), 16.0).upper.abs()
        tensor([[5.]])
    """
    n = len(triangle)
    if not _has_routines(triangle):
        root = torch.eye(n, dtype=triangle.dtype, device=triangle.device) * math.sqrt(damping)
        factor, tau = torch.geqrf(torch.cat((triangle.triu(), root)))
        return DampedTriangle(factor[:n], (factor, tau), False)
    columns = np.asfortranarray(triangle.numpy())
    below = np.zeros((n, n), columns.dtype, order="F")
    np.fill_diagonal(below, math.sqrt(damping))
    # One thread: the panels are small, and several threads wait for each other at every one of them. Where other
    # processes want the cores too, two threads took 24 s for n = 1500, and one takes 0.07 s.
    with _THREADS.limit(limits=1, user_api="blas"):
        upper, reflectors, blocks, _ = _FACTORS[triangle.dtype][0](n, min(_BLOCK, n), columns, below, overwrite_b=True)
    return DampedTriangle(torch.from_numpy(upper), (reflectors, blocks), True)
