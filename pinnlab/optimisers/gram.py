"""Gram matrices as symmetric rank-k products, which take half the work of a general one."""

from __future__ import annotations

import torch
from scipy.linalg.blas import dsyrk, ssyrk
from torch import Tensor

_PRODUCTS = {torch.float64: dsyrk, torch.float32: ssyrk}


def gram(matrix: Tensor, of_rows: bool = False) -> Tensor:
    """The lower triangle of Aᵀ A, `(P, P)`, or of A Aᵀ, `(M, M)`; zeros above it.

    BLAS computes it on a CPU, from the matrix as it lies in memory: nothing is copied. Elsewhere it is a triangle of a
    general product.

    Args:
        matrix: A, `(M, P)`.
        of_rows: Take A Aᵀ in place of Aᵀ A.

    Example:
        >>> gram(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[10.,  0.],
                [14., 20.]])
    """
    if matrix.device.type != "cpu" or matrix.dtype not in _PRODUCTS or not matrix.numel():
        return (matrix @ matrix.mT if of_rows else matrix.mT @ matrix).tril()
    # BLAS has columns first: in its eyes a matrix stored by rows is the transposed one, and upper is lower
    found = _PRODUCTS[matrix.dtype](1.0, matrix.detach().contiguous().numpy().T, trans=int(of_rows), lower=0)
    return torch.from_numpy(found.T)
