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
    """The weights Q_0, …, Q_m as given.

    Example:
        >>> Weights([1.0, 0.1]).weights()  # the loss is mean |F|² + 0.1 mean |∇F|²
        (1.0, 0.1)
    """

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
    """Q_j = (ρ^j / j!)²: the loss is the sum of squares of the terms of the residual's Taylor series at distance ρ.

    Example:
        >>> Taylor(2, radius=0.5).weights()
        (1.0, 0.25, 0.015625)
    """

    def __init__(self, order: int, radius: float = 1.0) -> None:
        """Weights up to `order`, with ρ = `radius`.

        Raises:
            UserError: if the order is negative, or a weight is not finite.
        """
        super().__init__([(radius**j / math.factorial(j)) ** 2 for j in _orders(order)])


class Geometric(Weights):
    """Q_j = decay^j.

    Example:
        >>> Geometric(2, decay=0.5).weights()
        (1.0, 0.5, 0.25)
    """

    def __init__(self, order: int, decay: float = 0.1) -> None:
        """Weights up to `order`.

        Raises:
            UserError: if the order is negative, or a weight is negative or not finite.
        """
        super().__init__([decay**j for j in _orders(order)])


class Only(Weights):
    """Q_m = weight for one order m, and 0 for all lower ones.

    Example:
        >>> Only(2, weight=0.1).weights()  # the loss is 0.1 mean |∇²F|²
        (0.0, 0.0, 0.1)
    """

    def __init__(self, order: int, weight: float = 1.0) -> None:
        """The weight of |∇^order F|².

        Raises:
            UserError: if the order is negative, or the weight is not positive and finite.
        """
        super().__init__([0.0] * len(_orders(order)[:-1]) + [weight])


def _orders(order: int) -> range:
    if order < 0:
        raise UserError(f"a Sobolev order cannot be negative, got {order}")
    return range(order + 1)
