"""Radial functions on [0, ∞) in a compact coordinate, in which decaying profiles are smooth up to infinity.

With z = 1/(1 + r²/ℓ²) the half-line r ≥ 0 becomes 0 ≤ z ≤ 1: infinity is z = 0, the centre z = 1. A function that is
even at the centre and has a series r^{−2a} (c₀ + c₁ r^{−2} + …) at infinity is z^a F(z) with a smooth F on [0, 1], also
at both ends. What grows or oscillates like exp(r²) at infinity is not smooth there, and what is singular at the centre
neither: in place of conditions at both ends it is enough that F is smooth.
"""

from __future__ import annotations

from torch import Tensor

from pinnlab.jets import Field

Number = float | Tensor


def radial_slope(F: Field, z: Field, a: float) -> Field:
    """The function G = z F' + a F, with z d/dz (z^a F) = z^a G; r d/dr is −2 (1 − z) z d/dz.

    Args:
        F: The function F(z).
        z: The coordinate.
        a: The exponent of z, half of that of 1/r.
    """
    return z * F.d(z) + a * F


def radial_laplacian(F: Field, z: Field, a: float, dimension: int) -> Field:
    """The function G with Δ (z^a F) = z^{a+1} G / ℓ² for radial functions in n dimensions, u'' + (n − 1) u'/r.

    Example:
        1/(1 + r²) = z satisfies Δu = −2u² (n − 4 + 4u) at ℓ = 1, so that G = 8 − 8z − 2n for F = 1 and a = 1:

        >>> import torch
        >>> from pinnlab.jets import IndexSet, Jet
        >>> z = Jet.seed(torch.tensor([[0.25]]), IndexSet.simplex(1, 2)).coordinate(0)
        >>> radial_laplacian(z * 0 + 1, z, 1.0, 5).value
        tensor([-4.])
    """
    first = radial_slope(F, z, a)
    return 4 * (1 - z) * radial_slope(first, z, a) - (4 * z + (2 * dimension - 4)) * first
