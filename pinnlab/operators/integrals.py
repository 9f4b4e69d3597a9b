"""Integrals over a rule or one of its axes, and antiderivatives."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.operators import legendre
from pinnlab.operators.operator import AxisOperator, Derivative, Identity, WholeOperator
from pinnlab.operators.rule import AxisRule, Rule
from pinnlab.operators.rules import GaussLegendre


class Integral(WholeOperator):
    """∫ u over all axes of the rule, one row; or over one axis, one row for each node of the others.

    The rows of its matrix are the weights of the rule.

    Example:
        >>> rule = GaussLegendre(t=(0, 1), nodes=4) * GaussLegendre(x=(0, 2), nodes=6)
        >>> values = rule.nodes["x"]
        >>> (Integral(rule) @ values).shape, (Integral(rule, "x") @ values).shape  # for each t
        (torch.Size([1]), torch.Size([4]))
    """

    def __init__(self, rule: Rule, axis: str | None = None) -> None:
        """Takes the rule, and the axis where the integral is over one of several.

        Raises:
            UserError: if the rule has no such axis.
        """
        over = rule.names if axis is None else (rule.factor(axis).name,)
        matrix = torch.ones(1, 1, dtype=torch.float64)
        for factor in rule.factors:
            row = factor.weights[None]
            matrix = torch.kron(matrix, row if factor.name in over else torch.eye(row.shape[1], dtype=torch.float64))
        super().__init__(rule, matrix, at_nodes=False)

    def along(self, axis: str) -> Derivative:
        """An integral is not a function at the nodes.

        Raises:
            UserError: always.
        """
        raise self.no_derivative(axis)


class Antiderivative(AxisOperator):
    """(S u)(x) = ∫_a^x u(y) dy from the lower end a, at the nodes of a `GaussLegendre` rule.

    It is exact if u is a polynomial of degree n − 1 in each panel of n nodes; with a rule of some `power`, a polynomial
    in s. (S u)' is u.

    Example:
        >>> rule = GaussLegendre(x=(0, 1), nodes=8)
        >>> x = rule.nodes["x"]
        >>> torch.allclose(Antiderivative(rule) @ x**2, x**3 / 3)
        True
    """

    def __init__(self, rule: Rule, axis: str | None = None) -> None:
        """Takes the rule, and the axis where the rule has several.

        Raises:
            UserError: if the rule of this axis is not `GaussLegendre`, or the rule has no such axis.
        """
        factor = panels("Antiderivative", rule.factor(axis))
        super().__init__(rule, factor, _antiderivative(factor))

    def along_own(self) -> Derivative:
        """(S u)' = u."""
        return Derivative(Identity(self.rule), None)


def panels(operator: str, rule: AxisRule) -> GaussLegendre:
    """The rule, which has to be Gauss-Legendre panels for the interpolation between its nodes.

    Raises:
        UserError: if it is not.
    """
    if not isinstance(rule, GaussLegendre):
        raise UserError(
            f"{operator} interpolates between the nodes of a GaussLegendre rule, and {rule.name} has a "
            f"{type(rule).__name__}: give GaussLegendre({rule.name}=(…))"
        )
    return rule


def before(rule: GaussLegendre) -> Tensor:
    """Which nodes lie in a panel before that of a node, `(M, M)`, as 1 and 0."""
    p = len(rule.edges) - 1
    block = torch.ones(rule.count, rule.count, dtype=torch.float64)
    return torch.kron(torch.ones(p, p, dtype=torch.float64).tril(-1), block)


def _antiderivative(rule: GaussLegendre) -> Tensor:
    within = torch.kron((rule.edges.diff() / 2).diag(), torch.from_numpy(legendre.integration(rule.count)))
    return before(rule) * rule.weights + within * rule.stretch(rule.s)
