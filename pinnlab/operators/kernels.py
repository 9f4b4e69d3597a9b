"""Integral operators with a kernel: Fredholm, Volterra, convolution."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.operators import legendre
from pinnlab.operators.integrals import before, panels
from pinnlab.operators.operator import AxisOperator, Derivative, Function, Multiplication, Sum, slope
from pinnlab.operators.rule import AxisRule, Rule
from pinnlab.operators.rules import GaussLegendre, PeriodicTrapezoid

Kernel = Callable[[Tensor, Tensor], Tensor]
"""A kernel k(x, y), written with torch and evaluated entry by entry on tensors of one shape."""


class Fredholm(AxisOperator):
    """(K u)(x) = ∫ k(x, y) u(y) dy over the whole interval, as Σ_j w_j k(x_i, y_j) u_j.

    The error is that of the rule for y ↦ k(x, y) u(y): k should be smooth also where x = y. (K u)' is ∫ ∂k/∂x u dy.

    Example:
        ∫₀¹ (x + y) y dy = x/2 + 1/3:

        >>> rule = GaussLegendre(x=(0, 1), nodes=4)
        >>> x = rule.nodes["x"]
        >>> torch.allclose(Fredholm(rule, lambda x, y: x + y) @ x, x / 2 + 1 / 3)
        True
    """

    def __init__(self, rule: Rule, kernel: Kernel, axis: str | None = None) -> None:
        """Takes the rule, the kernel, and the axis where the rule has several.

        Raises:
            UserError: if the kernel gives another shape than that of x, or numbers that are not finite.
        """
        self.kernel = kernel
        factor = rule.factor(axis)
        super().__init__(rule, factor, factor.weights * _evaluated(kernel, factor.points[:, None], factor.points))

    def along_own(self) -> Derivative:
        """The operator with the kernel ∂k/∂x."""
        return Derivative(Fredholm(self.rule, _slope_in_x(self.kernel), self.axis), None)


class Volterra(AxisOperator):
    """(V u)(x) = ∫_a^x k(x, y) u(y) dy from the lower end a, at the nodes of a `GaussLegendre` rule.

    For each node x the panels before its own have their nodes; between the beginning of its own panel and x there is a
    Gauss-Legendre rule with as many nodes, on which u is interpolated. k is needed for y ≤ x alone, should be smooth
    there, and is integrated exactly with u if both are polynomials in y of degree n − 1 in each panel of n nodes.

        (V u)'(x) = k(x, x) u(x) + ∫_a^x ∂k/∂x u dy

    Example:
        ∫₀ˣ (x − y) y dy = x³/6:

        >>> rule = GaussLegendre(x=(0, 1), nodes=8)
        >>> x = rule.nodes["x"]
        >>> torch.allclose(Volterra(rule, lambda x, y: x - y) @ x, x**3 / 6)
        True
    """

    def __init__(self, rule: Rule, kernel: Kernel, axis: str | None = None) -> None:
        """Takes the rule, the kernel, and the axis where the rule has several.

        Raises:
            UserError: if the rule of this axis is not `GaussLegendre`, or the kernel gives another shape than that of
                x, or numbers that are not finite.
        """
        self.kernel = kernel
        factor = panels("Volterra", rule.factor(axis))
        super().__init__(rule, factor, _volterra(factor, kernel))

    def along_own(self) -> Derivative:
        """The rule of Leibniz."""
        diagonal = Multiplication(self.rule, lambda x: self.kernel(x, x), self.axis)
        return Derivative(Sum(diagonal, Volterra(self.rule, _slope_in_x(self.kernel), self.axis)), None)


class Convolution(AxisOperator):
    """(k ∗ u)(x) = ∫ k(x − y) u(y) dy on the circle or on the line, with a smooth kernel k.

    On a `PeriodicTrapezoid` rule k must have the period of the rule. On the rules of the whole line k u must decay
    within the nodes. There is no boundary, so that (k ∗ u)' is k ∗ u'. On an interval take `Fredholm`, whose derivative
    has no such form.

    Example:
        ∫ cos(x − y) cos y dy = π cos x over one period:

        >>> rule = PeriodicTrapezoid(x=(0, 2 * torch.pi), nodes=16)
        >>> x = rule.nodes["x"]
        >>> torch.allclose(Convolution(rule, torch.cos) @ x.cos(), torch.pi * x.cos())
        True
    """

    def __init__(self, rule: Rule, kernel: Function, axis: str | None = None) -> None:
        """Takes the rule, the kernel k(x − y), and the axis where the rule has several.

        Raises:
            UserError: if the axis is an interval with a boundary, or the kernel is not periodic on the circle.
        """
        factor = rule.factor(axis)
        if isinstance(factor, GaussLegendre):
            raise UserError(
                f"Convolution is for the circle and the whole line, and {factor.name} has a GaussLegendre rule: "
                "on an interval write Fredholm(rule, lambda x, y: k(x - y))"
            )
        if isinstance(factor, PeriodicTrapezoid):
            _check_period(kernel, factor)

        def difference(x: Tensor, y: Tensor) -> Tensor:
            return kernel(x - y)

        super().__init__(rule, factor, factor.weights * _evaluated(difference, factor.points[:, None], factor.points))

    def along_own(self) -> Derivative:
        """(k ∗ u)' = k ∗ u'."""
        return Derivative(None, self)


def _evaluated(kernel: Kernel, x: Tensor, y: Tensor) -> Tensor:
    """The kernel at all pairs of entries, in the shape to which x and y broadcast."""
    x, y = torch.broadcast_tensors(x, y)
    found = torch.as_tensor(kernel(x, y)).detach()
    if found.shape not in (x.shape, ()):
        raise UserError(
            f"a kernel is evaluated entry by entry: for x and y of the shape {tuple(x.shape)} it gave the shape "
            f"{tuple(found.shape)}"
        )
    return found.expand(x.shape)


def _check_period(kernel: Function, rule: AxisRule) -> None:
    lower, upper = rule.interval
    inside = rule.points - lower
    found, later = kernel(inside), kernel(inside - (upper - lower))
    if not torch.allclose(found, later, rtol=1e-8, atol=1e-8 * float(found.abs().max())):
        raise UserError(
            f"Convolution: on the circle the kernel must have the period {upper - lower:g} of {rule.name}; "
            "sum its copies, or take a rule of the whole line"
        )


def _slope_in_x(kernel: Kernel) -> Kernel:
    """∂k/∂x."""
    return lambda x, y: slope(lambda first: torch.as_tensor(kernel(first, y)))(x)


def _volterra(rule: GaussLegendre, kernel: Kernel) -> Tensor:
    n, points = rule.count, rule.points
    earlier = before(rule)
    # where y > x the kernel may not exist: there y is replaced by x, and the entry is 0
    y = torch.where(earlier > 0, points, points[:, None])
    matrix = earlier * rule.weights * _evaluated(kernel, points[:, None], y)
    reference, weights = (torch.from_numpy(array) for array in legendre.gauss(n))
    # row i: the Gauss nodes between −1 and ξ_i, the share of their weights, and the interpolation to them
    inner = -1 + (1 + reference[:, None]) * (1 + reference) / 2
    share = (1 + reference[:, None]) / 2 * weights
    interpolation = torch.from_numpy(legendre.interpolation(n, inner.numpy()))
    for p, (lower, upper) in enumerate(zip(rule.edges[:-1], rule.edges[1:], strict=True)):
        own = slice(p * n, (p + 1) * n)
        half = (upper - lower) / 2
        s = lower + half * (1 + inner)
        values = half * share * rule.stretch(s) * _evaluated(kernel, points[own, None], rule.position(s))
        matrix[own, own] = torch.einsum("iq,iqj->ij", values, interpolation)
    return matrix
