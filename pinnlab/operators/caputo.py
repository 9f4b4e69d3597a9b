"""The Caputo derivative of fractional order."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.operators import legendre
from pinnlab.operators.integrals import panels
from pinnlab.operators.operator import AxisOperator, Derivative
from pinnlab.operators.rule import Rule
from pinnlab.operators.rules import GaussLegendre

_EXTRA = 48
"""The number of nodes by which the Gauss-Jacobi rule exceeds the interpolant, for the smooth factor of the kernel."""


class Caputo(AxisOperator):
    """(D^α u)(t) = 1/Γ(1 − α) ∫_a^t (t − τ)^{−α} u'(τ) dτ, 0 < α < 1, from the lower end a.

    The rule is a `GaussLegendre` rule of one panel. u is interpolated by a polynomial p of degree n − 1 in the rule's
    variable s = ((t − a)/T)^β, with T the length of the interval and β the rule's `power`. With S the value of s at t,

        (D^α u)(t) = T^{−α} S^{1 − α/β} / Γ(1 − α) · ∫_0^1 (1 − v)^{−α} g(v) p'(S v) dv
        g(v) = ((1 − v^{1/β}) / (1 − v))^{−α},

    and a Gauss-Jacobi rule with the weight (1 − v)^{−α} computes the integral. The result is exact for polynomials in s
    of degree n − 1, and its error for other functions is that of p'. Three choices of β:

    - β = α for functions of t^α, as solutions of fractional equations are. For α = 1/2, 1/3, … they include the
      functions that are smooth in t, and 16 nodes reach 1e-12. For another α the powers t^{kα} are exact, and the
      largest error for another power t^γ falls like n^{−2(γ − α)/β}.
    - β = 1 for functions that are smooth in t.
    - β = 1/m for α = l/m, with sums of both. Rounding errors grow like S^{1 − l}: with α = 0.3 and 16 nodes they are
      5e-9, with α = 0.7 the result is useless.

    Attributes:
        order: α.

    Example:
        D^{1/2} t = 2 √(t/π):

        >>> rule = GaussLegendre(t=(0, 1), nodes=16, power=0.5)
        >>> t = rule.nodes["t"]
        >>> torch.allclose(Caputo(rule, 0.5) @ t, 2 * (t / torch.pi).sqrt())
        True
    """

    def __init__(self, rule: Rule, order: float, axis: str | None = None) -> None:
        """Takes the rule, α, and the axis where the rule has several.

        Raises:
            UserError: if α is not between 0 and 1, or the rule of this axis is not a `GaussLegendre` of one panel.
        """
        if isinstance(order, bool) or not isinstance(order, int | float) or not 0 < order < 1:
            raise UserError(f"Caputo: the order must lie between 0 and 1, not {order!r}")
        self.order = float(order)
        factor = panels("Caputo", rule.factor(axis))
        if len(factor.edges) != 2:
            raise UserError(
                f"Caputo interpolates over the whole interval, and {factor.name} has {len(factor.edges) - 1} panels: "
                "give one panel with more nodes"
            )
        super().__init__(rule, factor, _caputo(factor, self.order))

    def along_own(self) -> Derivative:
        """The derivative of D^α u is singular at a, and not computed.

        Raises:
            UserError: always.
        """
        raise self.no_derivative(self.axis)


def _caputo(rule: GaussLegendre, order: float) -> Tensor:
    from scipy.special import roots_jacobi

    n, inverse = rule.count, 1 / rule.power
    nodes, weights = roots_jacobi(n + _EXTRA, -order, 0.0)
    v = (1 + nodes) / 2
    smooth = (-np.expm1(inverse * np.log(v)) / (1 - v)) ** -order
    scaled = 2 ** (order - 1) * weights * smooth
    s = rule.s.numpy()
    # p is a polynomial in ξ = 2 s − 1
    slopes = 2 * legendre.differentiation(n, 2 * s[:, None] * v - 1)
    length = rule.ends[-1] - rule.ends[0]
    factor = length**-order * s ** (1 - order * inverse) / math.gamma(1 - order)
    return torch.from_numpy(factor[:, None] * np.einsum("q,iqj->ij", scaled, slopes))
