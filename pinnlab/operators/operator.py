"""Linear operators that act on the values at all nodes of a quadrature rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.operators.rule import AxisRule, Rule

Function = Callable[[Tensor], Tensor]
"""A function of one coordinate, evaluated at all entries of a tensor."""


class Derivative(NamedTuple):
    """How an operator A differentiates: ∂(A u) = B u + C ∂u, along one coordinate.

    An antiderivative along x has B = 1 and no C; an operator that commutes with ∂ has no B and C = A.

    Attributes:
        values: B; None stands for 0.
        slopes: C; None stands for 0.

    Example:
        >>> from pinnlab.operators import Antiderivative, GaussLegendre
        >>> rule = GaussLegendre(x=(0, 1), nodes=3)
        >>> derivative = Antiderivative(rule).derivative("x")
        >>> type(derivative.values).__name__, derivative.slopes
        ('Identity', None)
    """

    values: WholeOperator | None
    slopes: WholeOperator | None


class WholeOperator(ABC):
    """A linear operator as a matrix `(R, M)` on the values at the M nodes of a quadrature rule.

    A new operator computes its matrix and hands it to this constructor. Its method `along` returns the derivative of
    its result, or raises `no_derivative`.

    Attributes:
        rule: The rule.
        matrix: The matrix, float64. Its R = M rows belong to the nodes, unless `at_nodes` is false.
        at_nodes: Whether the result is a function at the nodes; an integral is not.

    Example:
        The mean over all nodes, which has no derivative:

        >>> from pinnlab.operators import GaussLegendre
        >>> class Mean(WholeOperator):
        ...     def __init__(self, rule):
        ...         super().__init__(rule, rule.weights[None] / rule.weights.sum(), at_nodes=False)
        ...
        ...     def along(self, axis):
        ...         raise self.no_derivative(axis)
        >>> rule = GaussLegendre(x=(0, 2), nodes=4)
        >>> Mean(rule) @ rule.nodes["x"]
        tensor([1.], dtype=torch.float64)
    """

    def __init__(self, rule: Rule, matrix: Tensor, at_nodes: bool = True) -> None:
        """Takes the rule, and the matrix on its nodes.

        Raises:
            UserError: if the matrix has another number of columns than there are nodes, or is not finite.
        """
        self.rule, self.matrix, self.at_nodes = rule, matrix, at_nodes
        self._derivatives: dict[str, Derivative] = {}
        nodes = len(rule.weights)
        if matrix.ndim != 2 or matrix.shape[1] != nodes or (at_nodes and len(matrix) != nodes):
            raise UserError(f"{self.name}: the matrix on {nodes} nodes has the shape {tuple(matrix.shape)}")
        if not matrix.isfinite().all():
            raise UserError(f"{self.name}: the matrix has entries that are not finite numbers")

    @property
    def name(self) -> str:
        """The name of the operator in messages."""
        return type(self).__name__

    @property
    def nodes(self) -> Mapping[str, Tensor]:
        """The nodes on which it acts, axis -> `(M,)`."""
        return self.rule.nodes

    def __matmul__(self, values: Tensor) -> Tensor:
        """The result for values `(M,)` or `(M, k)` at the nodes, in their dtype and on their device.

        Raises:
            UserError: if there is another number of values.
        """
        if not isinstance(values, Tensor):
            return NotImplemented
        if values.ndim not in (1, 2) or len(values) != self.matrix.shape[1]:
            raise UserError(
                f"{self.name} acts on values (M,) or (M, k) at its M = {self.matrix.shape[1]} nodes, "
                f"and got the shape {tuple(values.shape)}"
            )
        return self.matrix.to(values) @ values

    def derivative(self, axis: str) -> Derivative:
        """How the operator differentiates along a coordinate.

        It commutes with ∂ along a coordinate on which its nodes do not depend, as the time of a group of nodes is. The
        operators B and C are made when they are first asked for, and kept.

        Args:
            axis: The name of the coordinate.

        Raises:
            UserError: if the result is not a function of this coordinate, or the operator knows no derivative of it.
        """
        if axis not in self.rule.names:
            return Derivative(None, self)
        if axis not in self._derivatives:
            self._derivatives[axis] = self.along(axis)
        return self._derivatives[axis]

    @abstractmethod
    def along(self, axis: str) -> Derivative:
        """`derivative` along an axis of the rule.

        Raises:
            UserError: if there is none.
        """

    def no_derivative(self, axis: str) -> UserError:
        """The error that says that the result cannot be differentiated along an axis."""
        reason = "no derivative is known of it" if self.at_nodes else f"it is not a function of {axis}"
        return UserError(
            f"the result of {self.name} has no derivative along {axis}: {reason}; differentiate what it acts on"
        )


class AxisOperator(WholeOperator):
    """An operator along one axis of a rule, at each combination of the nodes on the other axes.

    Attributes:
        axis: The axis.

    Example:
        (R u)(x) = u(−x) on nodes that are symmetric about 0:

        >>> from pinnlab.operators import GaussLegendre
        >>> class Reflection(AxisOperator):
        ...     def __init__(self, rule, axis=None, sign=1.0):
        ...         factor, self.sign = rule.factor(axis), sign
        ...         super().__init__(rule, factor, sign * torch.eye(len(factor.points)).double().flip(0))
        ...
        ...     def along_own(self):  # (R u)' = −R u'
        ...         return Derivative(None, Reflection(self.rule, self.axis, -self.sign))
        >>> rule = GaussLegendre(x=(-1, 1), nodes=5)
        >>> x = rule.nodes["x"]
        >>> torch.allclose(Reflection(rule) @ x.exp(), (-x).exp())
        True
    """

    def __init__(self, rule: Rule, axis: AxisRule, matrix: Tensor) -> None:
        """Takes the rule, its factor of the axis, and the matrix `(m, m)` on the m nodes of this factor.

        The matrix on all nodes is the Kronecker product with the identity on the other axes.
        """
        self.axis = axis.name
        whole = torch.ones(1, 1, dtype=torch.float64)
        for factor in rule.factors:
            own = matrix if factor.name == axis.name else torch.eye(len(factor.points), dtype=torch.float64)
            whole = torch.kron(whole, own)
        super().__init__(rule, whole)

    def along(self, axis: str) -> Derivative:
        """It commutes with the derivatives along other axes."""
        return self.along_own() if axis == self.axis else Derivative(None, self)

    @abstractmethod
    def along_own(self) -> Derivative:
        """`derivative` along the operator's own axis.

        Raises:
            UserError: if there is none.
        """


class Identity(WholeOperator):
    """The operator that returns its argument.

    Example:
        >>> from pinnlab.operators import GaussLegendre
        >>> Identity(GaussLegendre(x=(0, 1), nodes=2)) @ torch.tensor([1.0, 2.0])
        tensor([1., 2.])
    """

    def __init__(self, rule: Rule) -> None:
        """Takes the rule."""
        super().__init__(rule, torch.eye(len(rule.weights), dtype=torch.float64))

    def along(self, axis: str) -> Derivative:
        """∂(1 u) = 1 ∂u."""
        return Derivative(None, self)


class Multiplication(AxisOperator):
    """The product m(x) u(x) with a given function of one coordinate, a diagonal matrix.

    Attributes:
        function: The function m, written with torch.

    Example:
        >>> from pinnlab.operators import GaussLegendre
        >>> rule = GaussLegendre(x=(0, 1), nodes=3)
        >>> x = rule.nodes["x"]
        >>> torch.allclose(Multiplication(rule, torch.exp) @ x, x.exp() * x)
        True
    """

    def __init__(self, rule: Rule, function: Function, axis: str | None = None) -> None:
        """Takes the rule, m, and the axis where the rule has several."""
        self.function = function
        factor = rule.factor(axis)
        super().__init__(rule, factor, function(factor.points).detach().expand(len(factor.points)).diag())

    def along_own(self) -> Derivative:
        """∂(m u) = m' u + m ∂u."""
        return Derivative(Multiplication(self.rule, slope(self.function), self.axis), self)


class Sum(WholeOperator):
    """The sum of two operators on the same rule.

    Example:
        >>> from pinnlab.operators import GaussLegendre
        >>> one = Identity(GaussLegendre(x=(0, 1), nodes=2))
        >>> Sum(one, one) @ torch.tensor([1.0, 2.0])
        tensor([2., 4.])
    """

    def __init__(self, first: WholeOperator, second: WholeOperator) -> None:
        """Takes the two operators."""
        self.first, self.second = first, second
        super().__init__(first.rule, first.matrix + second.matrix)

    def along(self, axis: str) -> Derivative:
        """The sum of the derivatives."""
        a, b = self.first.derivative(axis), self.second.derivative(axis)
        return Derivative(_sum(a.values, b.values), _sum(a.slopes, b.slopes))


def _sum(first: WholeOperator | None, second: WholeOperator | None) -> WholeOperator | None:
    if first is None or second is None:
        return first or second
    return Sum(first, second)


def slope(function: Function) -> Function:
    """The derivative m' of a function that is evaluated entry by entry."""
    return torch.func.grad(lambda x: function(x).expand_as(x).sum())
