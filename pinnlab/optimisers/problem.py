"""A least-squares problem as the optimiser sees it: residuals, and their Jacobian at some parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from pinnlab.optimisers.bounds import Box
from pinnlab.optimisers.linear.operators import LinearOperator
from pinnlab.ranks import Ranks


class Linearised(ABC):
    """Residuals at some parameters, with their Jacobian at hand.

    Attributes:
        vector: r, `(M,)`.
    """

    vector: Tensor

    @abstractmethod
    def jacobian(self) -> LinearOperator:
        """∂r/∂θ, an operator from `(P,)` to `(M,)`. It may be asked for once."""


class Problem(ABC):
    """Least squares as the optimiser sees it: residuals r(θ) and their Jacobian, θ the flattened parameters.

    Residual vectors and Jacobians hold this process's rows; other ranks may hold more.

    Attributes:
        box: The bounds of some of the parameters, or None.
    """

    box: Box | None = None

    @abstractmethod
    def linearise(self, theta: Tensor) -> Linearised:
        """The residuals at θ, `(P,)`, with what is needed to differentiate them."""

    @abstractmethod
    def accept(self, there: Linearised) -> None:
        """Called when the parameters are at the point of this linearisation: at the start, and after each step."""

    @abstractmethod
    def same(self, other: Problem) -> bool:
        """Whether another problem has the same residual functions (points and weights), on all ranks."""

    @property
    @abstractmethod
    def ranks(self) -> Ranks:
        """Who holds the other rows."""

    def loss(self, vector: Tensor) -> float:
        """‖r‖² over the rows of all ranks."""
        return float(self.ranks.sum(vector @ vector))
