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


def slope(F: Field, z: Field, a: float) -> Field:
    """The function G = z F' + a F, with z d/dz (z^a F) = z^a G; r d/dr is −2 (1 − z) z d/dz.

    Args:
        F: The function F(z).
        z: The coordinate.
        a: The exponent of z, half of that of 1/r.
    """
    return z * F.d(z) + a * F


def laplacian(F: Field, z: Field, a: float, dimension: int) -> Field:
    """The function G with Δ (z^a F) = z^{a+1} G / ℓ² for radial functions in n dimensions, u'' + (n − 1) u'/r.

    Example:
        1/(1 + r²) = z satisfies Δu = −2u² (n − 4u) at ℓ = 1, so that G = 8z − 2n for F = 1 and a = 1:

        >>> import torch
        >>> from pinnlab.jets import IndexSet, Jet
        >>> z = Jet.seed(torch.tensor([[0.25]]), IndexSet.simplex(1, 2)).coordinate(0)
        >>> laplacian(z * 0 + 1, z, 1.0, 3).value
        tensor([-4.])
    """
    first = slope(F, z, a)
    return 4 * (1 - z) * slope(first, z, a) - (4 * z + (2 * dimension - 4)) * first


def ginzburg_landau(
    z: Field,
    f: Field,
    g: Field,
    kappa: Number,
    epsilon: Number,
    dimension: int,
    sigma: float,
    length: float,
) -> tuple[Field, Field]:
    """The real and imaginary part of the equation of the profiles of Ginzburg and Landau's equation, for F = f + ig.

    (1 − iε)[4(1−z)(θ+a)² − (4z+2d−4)(θ+a)]F/ℓ² + (iκ/σ − 1)F − 2iκ(1−z)F' + |F|^{2σ}F with θ = z d/dz and
    a = (1/σ + i/κ)/2; ε = 0 is Schrödinger's.
    """
    a, b = 1 / (2 * sigma), 1 / (2 * kappa)
    p, q = slope(f, z, a) - b * g, slope(g, z, a) + b * f
    r, s = slope(p, z, a) - b * q, slope(q, z, a) + b * p
    factor = 4 * z + (2 * dimension - 4)
    real, imaginary = (4 * (1 - z) * r - factor * p) / length**2, (4 * (1 - z) * s - factor * q) / length**2
    power = (f * f + g * g) ** sigma - 1
    return (
        real + epsilon * imaginary + power * f - kappa / sigma * g + 2 * kappa * (1 - z) * g.d(z),
        imaginary - epsilon * real + power * g + kappa / sigma * f - 2 * kappa * (1 - z) * f.d(z),
    )
