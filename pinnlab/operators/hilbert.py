"""The Hilbert transform (H u)(x) = (1/π) p.v. ∫ u(y)/(x − y) dy, on the line and on the circle.

H cos = sin and H sin = −cos. It commutes with derivatives, and H(H u) = −u for functions without a mean.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.operators.operator import AxisOperator, Derivative
from pinnlab.operators.rule import Rule
from pinnlab.operators.rules import PeriodicTrapezoid, SinhTrapezoid, TanTrapezoid


class HilbertOnLine(AxisOperator):
    """The Hilbert transform on the line, on a `SinhTrapezoid` or a `TanTrapezoid` rule.

    With y = c + σ sinh z the alternate-point trapezoidal rule takes for the node i the nodes of the other parity, which
    lie evenly around the singularity, so that the sum converges to the principal value:

        (H u)_i = (2h/π) Σ_{j − i odd} u_j cosh z_j / (sinh z_i − sinh z_j).

    The error falls exponentially in 1/h for analytic u, also where u decays slowly, and has a part of the size of what
    u has beyond the ends. With y = c + σ tan(φ/2) it is the transform H° on the circle of φ, but for a constant:

        (H u)(φ) = (H° u)(φ) − (1/2π) ∫ u tan(φ/2) dφ.

    This takes fewer nodes for u that are smooth at infinity, and is exact for rational functions of up to about n/2
    poles at c ± iσ.

    Example:
        >>> rule = TanTrapezoid(x=(0, 1), nodes=20)
        >>> x = rule.nodes["x"]
        >>> torch.allclose(HilbertOnLine(rule) @ (1 / (1 + x**2)), x / (1 + x**2))
        True
    """

    def __init__(self, rule: Rule, axis: str | None = None) -> None:
        """Takes the rule, and the axis where the rule has several.

        Raises:
            UserError: if the rule of this axis is neither of the two.
        """
        factor = rule.factor(axis)
        if isinstance(factor, SinhTrapezoid):
            matrix = _alternate(factor.z, factor.spacing)
        elif isinstance(factor, TanTrapezoid):
            matrix = _circle(factor.count) - (factor.angles / 2).tan() / factor.count
        else:
            raise UserError(
                f"HilbertOnLine needs a SinhTrapezoid or TanTrapezoid rule, and {factor.name} has a "
                f"{type(factor).__name__}; on a PeriodicTrapezoid rule take HilbertOnCircle"
            )
        super().__init__(rule, factor, matrix)

    def along_own(self) -> Derivative:
        """(H u)' = H u'."""
        return Derivative(None, self)


class HilbertOnCircle(AxisOperator):
    """The Hilbert transform of periodic functions, −i sgn(k) on the Fourier mode k, on a `PeriodicTrapezoid` rule.

    It is exact for trigonometric polynomials of less than n/2 waves at n nodes. The mean, and for an even n the mode
    n/2, which alternates from node to node, go to 0.

    Example:
        >>> rule = PeriodicTrapezoid(x=(0, 2 * torch.pi), nodes=16)
        >>> x = rule.nodes["x"]
        >>> torch.allclose(HilbertOnCircle(rule) @ x.cos(), x.sin())
        True
    """

    def __init__(self, rule: Rule, axis: str | None = None) -> None:
        """Takes the rule, and the axis where the rule has several.

        Raises:
            UserError: if the rule of this axis is not `PeriodicTrapezoid`.
        """
        factor = rule.factor(axis)
        if not isinstance(factor, PeriodicTrapezoid):
            raise UserError(
                f"HilbertOnCircle needs the even grid of a PeriodicTrapezoid rule, and {factor.name} has a "
                f"{type(factor).__name__}; on a rule of the whole line take HilbertOnLine"
            )
        super().__init__(rule, factor, _circle(factor.count))

    def along_own(self) -> Derivative:
        """(H u)' = H u'."""
        return Derivative(None, self)


def _alternate(z: Tensor, spacing: float) -> Tensor:
    order = torch.arange(len(z))
    odd = (order[:, None] - order) % 2 == 1
    # sinh a − sinh b = 2 cosh((a + b)/2) sinh((a − b)/2) without cancellation, 1 in place of 0 on the diagonal
    difference = 2 * ((z[:, None] + z) / 2).cosh() * ((z[:, None] - z) / 2).sinh()
    matrix = 2 * spacing / torch.pi * z.cosh() / torch.where(odd, difference, 1)
    return torch.where(odd, matrix, 0)


def _circle(n: int) -> Tensor:
    symbol = torch.full((n // 2 + 1,), -1j, dtype=torch.complex128)
    symbol[0] = 0
    if n % 2 == 0:
        symbol[-1] = 0
    order = torch.arange(n)
    return torch.fft.irfft(symbol, n=n)[(order[:, None] - order) % n]
