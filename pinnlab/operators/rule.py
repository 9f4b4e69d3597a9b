"""Quadrature rules: nodes on named axes with weights, and their products."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import reduce
from itertools import pairwise

import torch
from torch import Tensor

from pinnlab.errors import UserError


class Rule(ABC):
    """A quadrature rule: ∫ f ≈ Σ_i w_i f(x_i) over an interval, the whole line, or a product of these.

    Rules of single axes multiply: `GaussLegendre(t=(0, 1)) * PeriodicTrapezoid(x=(0, 1))` has all pairs of nodes, and
    the last axis runs fastest.

    Example:
        >>> from pinnlab.operators import GaussLegendre
        >>> rule: Rule = GaussLegendre(x=(0, 1), nodes=5)
        >>> round((rule.weights * rule.nodes["x"] ** 2).sum().item(), 12)
        0.333333333333
    """

    @property
    @abstractmethod
    def factors(self) -> tuple[AxisRule, ...]:
        """The rules of the single axes, whose product this rule is."""

    @abstractmethod
    def finer(self) -> Rule:
        """A rule with about half as many nodes again on each axis, for an independent check; no node is in both."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the axes."""
        return tuple(factor.name for factor in self.factors)

    @property
    def nodes(self) -> Mapping[str, Tensor]:
        """Axis -> its coordinate at the M nodes, float64 `(M,)`."""
        grids = torch.meshgrid(*(factor.points for factor in self.factors), indexing="ij")
        return {name: grid.flatten() for name, grid in zip(self.names, grids, strict=True)}

    @property
    def weights(self) -> Tensor:
        """The weights of the nodes, float64 `(M,)`."""
        return reduce(torch.kron, (factor.axis_weights for factor in self.factors))

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        """Axis -> the ends of its interval; −∞ and ∞ for a rule of the whole line."""
        return {factor.name: factor.interval for factor in self.factors}

    def __mul__(self, other: Rule) -> ProductRule:
        """The product of two rules.

        Raises:
            UserError: if an axis occurs in both.
        """
        if not isinstance(other, Rule):
            return NotImplemented
        return ProductRule(*self.factors, *other.factors)

    def factor(self, axis: str | None) -> AxisRule:
        """The rule of one axis; the axis need not be named if the rule has only one.

        Raises:
            UserError: if there is no such axis, or several axes and none is named.
        """
        if axis is None and len(self.factors) == 1:
            return self.factors[0]
        if axis is None:
            raise UserError(f"name the axis of the operator: the rule has the axes {', '.join(self.names)}")
        if axis not in self.names:
            raise UserError(f"the rule has no axis {axis!r}; it has {', '.join(self.names)}")
        return self.factors[self.names.index(axis)]


class AxisRule(Rule):
    """A quadrature rule of one axis.

    Attributes:
        name: The axis.
        points: The nodes in increasing order, float64 `(M,)`.
        interval: The ends.

    Example:
        The midpoint rule:

        >>> class Midpoint(AxisRule):
        ...     def __init__(self, name, lower, upper, nodes):
        ...         self.count, width = nodes, (upper - lower) / nodes
        ...         points = lower + width * (torch.arange(nodes, dtype=torch.float64) + 0.5)
        ...         super().__init__(name, points, torch.full_like(points, width), (lower, upper))
        ...
        ...     def finer(self):
        ...         return Midpoint(self.name, *self.interval, more(self.count))
        >>> rule = Midpoint("x", 0.0, 1.0, 4)
        >>> rule.weights.sum().item(), len(rule.finer().weights)
        (1.0, 7)
    """

    def __init__(self, name: str, points: Tensor, weights: Tensor, interval: tuple[float, float]) -> None:
        """Takes the nodes with their weights, `(M,)` each."""
        self.name, self.points, self.interval = name, points, interval
        self.axis_weights = weights

    @property
    def factors(self) -> tuple[AxisRule, ...]:
        """The rule alone."""
        return (self,)


class ProductRule(Rule):
    """All combinations of the nodes of rules of single axes; the weights are the products of their weights.

    Example:
        >>> from pinnlab.operators import GaussLegendre
        >>> rule = ProductRule(GaussLegendre(t=(0, 1), nodes=2), GaussLegendre(x=(0, 3), nodes=3))
        >>> len(rule.weights), round(rule.weights.sum().item(), 12)
        (6, 3.0)
    """

    def __init__(self, *factors: AxisRule) -> None:
        """Takes the rules of the single axes.

        Raises:
            UserError: if an axis occurs twice.
        """
        self._factors = factors
        twice = [name for name in self.names if self.names.count(name) > 1]
        if twice:
            raise UserError(f"the axis {twice[0]!r} occurs twice in a product of quadrature rules")

    @property
    def factors(self) -> tuple[AxisRule, ...]:
        """The rules of the single axes."""
        return self._factors

    def finer(self) -> ProductRule:
        """The product of the finer rules."""
        return ProductRule(*(factor for rule in self._factors for factor in rule.finer().factors))


def only_axis(rule: str, axes: Mapping[str, object]) -> tuple[str, object]:
    """The one axis that a rule was given by name, with its value.

    Raises:
        UserError: if there is none, or several.
    """
    if len(axes) != 1:
        raise UserError(
            f"{rule} takes one axis, as in {rule}(x=(0, 1)), not {', '.join(axes) or 'none'}; "
            f"several axes are a product: {rule}(x=(0, 1)) * {rule}(y=(0, 1))"
        )
    return next(iter(axes.items()))


def increasing(what: str, values: object) -> tuple[float, ...]:
    """Two or more finite numbers in increasing order.

    Raises:
        UserError: if they are not; the message begins with `what`.
    """
    try:
        found = tuple(float(value) for value in values)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        found = ()
    ordered = all(a < b for a, b in pairwise(found))
    if len(found) < 2 or not ordered or not all(math.isfinite(value) for value in found):
        raise UserError(f"{what} must be two or more finite numbers in increasing order, not {values!r}")
    return found


def whole(what: str, value: object, least: int) -> int:
    """An integer that is not less than `least`.

    Raises:
        UserError: if it is not; the message begins with `what`.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(f"{what} must be an integer of at least {least}, not {value!r}")
    return value


def positive(what: str, value: object) -> float:
    """A finite number greater than 0.

    Raises:
        UserError: if it is not; the message begins with `what`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not (0 < value < math.inf):
        raise UserError(f"{what} must be a finite number greater than 0, not {value!r}")
    return float(value)


def more(n: int) -> int:
    """The least number of at least 3n/2 that is even where n is odd, and odd where n is even.

    Two midpoint rules on the same interval, and two Gauss-Legendre rules, have no node in common where one number of
    nodes is even and the other odd.
    """
    m = math.ceil(3 * n / 2)
    return m + (m - n + 1) % 2
