"""Residuals with their Jacobian at hand."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from pinnlab.optimisers.linear.operators import LinearOperator


class Linearised(ABC):
    """Residuals at some parameters, with their Jacobian at hand.

    Attributes:
        vector: r, `(M,)`.
    """

    vector: Tensor

    @abstractmethod
    def jacobian(self) -> LinearOperator:
        """∂r/∂θ, an operator from `(P,)` to `(M,)`. It may be asked for once."""
