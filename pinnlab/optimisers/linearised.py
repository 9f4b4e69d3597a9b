"""Residuals with their Jacobian at hand."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor


class Linearised(ABC):
    """Residuals at some parameters, with their Jacobian at hand.

    Attributes:
        vector: r, `(M,)`.
    """

    vector: Tensor

    @abstractmethod
    def jacobian(self) -> Tensor:
        """∂r/∂θ, `(M, P)`."""
