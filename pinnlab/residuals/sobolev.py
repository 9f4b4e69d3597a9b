"""Sobolev weightings: how much of ∇^j F, the derivatives of a residual, the loss holds.

A weighting is its numbers Q_0, …, Q_m; the loss of a constraint with residual F on points x_i is

    Σ_j Q_j · mean_i |∇^j F(x_i)|²,   |∇^j F|² = Σ_{|α| = j} (j! / α!) (∂^α F)²,

where j!/α! counts the equal entries of the symmetric tensor ∇^j F.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from pinnlab.construction import Constructed
from pinnlab.errors import UserError


class Sobolev(Constructed, ABC):
    """A choice of the weights Q_j."""

    @abstractmethod
    def weights(self) -> tuple[float, ...]:
        """Q_0, …, Q_m: not negative, and not all zero."""

    @property
    def order(self) -> int:
        """The highest derivative m of the residual that the loss holds."""
        return len(self.weights()) - 1


class Weights(Sobolev):
    """The weights written out."""

    def __init__(self, values: Sequence[float]) -> None:
        """Takes Q_0, …, Q_m.

        Raises:
            UserError: if there are none, one is negative or not finite, or all are zero.
        """
        if not values or not all(math.isfinite(q) and q >= 0 for q in values) or not any(values):
            raise UserError(f"Sobolev weights must be finite, not negative and not all zero, got {list(values)}")
        self.values = tuple(float(q) for q in values)
        while self.values[-1] == 0:
            self.values = self.values[:-1]

    def weights(self) -> tuple[float, ...]:
        """Q_0, …, Q_m as given; zeros at the end are dropped."""
        return self.values


class Taylor(Weights):
    """Q_j = (ρ^j / j!)²: the squares of the residual's Taylor coefficients at distance ρ."""

    def __init__(self, order: int, radius: float = 1.0) -> None:
        """Weights up to `order`, with ρ = `radius`."""
        super().__init__([(radius**j / math.factorial(j)) ** 2 for j in _orders(order)])


class Geometric(Weights):
    """Q_j = decay^j."""

    def __init__(self, order: int, decay: float = 0.1) -> None:
        """Weights up to `order`."""
        super().__init__([decay**j for j in _orders(order)])


class Only(Weights):
    """Q_m = weight for one order alone."""

    def __init__(self, order: int, weight: float = 1.0) -> None:
        """The weight of |∇^order F|²."""
        super().__init__([0.0] * len(_orders(order)[:-1]) + [weight])


def _orders(order: int) -> range:
    if order < 0:
        raise UserError(f"a Sobolev order cannot be negative, got {order}")
    return range(order + 1)
