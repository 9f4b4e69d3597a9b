"""Blow-up of the supercritical nonlinear Schrödinger equation."""

from __future__ import annotations

from functools import cache

import numpy as np
from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.problems.blowup.local.compact import radial_slope
from pinnlab.references.profiles.ginzburg_landau import profile as shoot
from pinnlab.references.profiles.radial import Profile

_SIGMA = {1: 2.3, 3: 1.0}
"""σ by dimension."""
_LADDER = {
    (1, 1): ((1.20, 1.26), (0.83, 0.87), 2.0),
    (1, 2): ((0.77, 0.80), (0.48, 0.50), 3.0),
    (1, 3): ((1.10, 1.15), (0.34, 0.355), 4.0),
    (1, 4): ((0.87, 0.90), (0.26, 0.272), 5.0),
    (3, 1): ((1.85, 1.92), (0.90, 0.93), 2.0),
    (3, 2): ((0.82, 0.86), (0.315, 0.33), 4.0),
    (3, 3): ((1.08, 1.14), (0.215, 0.23), 5.0),
}
"""The intervals for μ and κ, and ℓ, by dimension and profile."""
_GUESSES = {
    (1, 1): (1.232, 0.8531), (1, 2): (0.7831, 0.4932), (1, 3): (1.1239, 0.3468), (1, 4): (0.8839, 0.2668),
    (3, 1): (1.8862, 0.9171), (3, 2): (0.84142, 0.32129), (3, 3): (1.1167, 0.22697),
}  # fmt: skip
"""μ and κ where the classical shooting begins (Plecháč & Šverák 2001, whose digits for (3, 3) lead nowhere)."""


class SchrodingerProfile(Equation):
    """Q'' + (d−1)Q'/ξ + iκξQ' + iκQ/σ − Q + |Q|^{2σ}Q = 0 on [0, ∞), Q(0) = μ > 0, with μ and κ unknown.

    The focusing Schrödinger equation i u_t + Δu + |u|^{2σ}u = 0 with dσ > 2 becomes infinite at a point along
    u = (2κ(T − t))^{−(1/σ + i/κ)/2} Q(ξ), ξ = |x|/√(2κ(T − t)). The profile and the rate κ satisfy

    Q'' + (d − 1) Q'/ξ + iκξQ' + iκQ/σ − Q + |Q|^{2σ}Q = 0,  Q(0) = μ > 0,  Q'(0) = 0,  Q ~ γ ξ^{−1/σ − i/κ}.

    Here θ = z d/dz and Q = z^a F(z) with z = 1/(1 + ξ²/ℓ²), so that all of [0, ∞) is the interval [0, 1], with infinity
    at z = 0, and F = f + ig. Other solutions oscillate at infinity like exp(−iκξ²/2) and are not smooth in z: that F is
    smooth is the only condition at either end of

    [4(1−z)(θ+a)² − (4z+2d−4)(θ+a)]F/ℓ² + (iκ/σ−1)F − 2iκ(1−z)F' + |F|^{2σ}F = 0,  a = (1/σ + i/κ)/2.

    Intervals for μ and κ tell the profiles of a ladder apart; for d = 1 profile j has j − 1 extrema of |Q| beside the
    centre. There are ladders for (d, σ) = (1, 2.3) and (3, 1) (Plecháč & Šverák 2001; proved, with enclosures of μ
    and κ, by Dahne & Figueras 2024, arXiv 2410.05480; the third profile for d = 3 is known by computation alone).

    Example:
        >>> equation = SchrodingerProfile()
        >>> round(equation.mu.truth, 9), round(equation.kappa.truth, 9)
        (1.232037525, 0.853108837)
    """

    inputs = ("z",)
    outputs = ("f", "g")

    def __init__(self, profile: int = 1, dimension: int = 1, length: float | None = None) -> None:
        """Chooses a profile.

        Args:
            profile: j, from 1 to 4 in one dimension, and to 3 in three.
            dimension: d = 1, with σ = 2.3, or d = 3, with σ = 1.
            length: ℓ, any length; another one is another equation with the same μ and κ.

        Raises:
            UserError: if there is no such profile here, or the length is not positive.
        """
        super().__init__()
        if (dimension, profile) not in _LADDER:
            raise UserError(
                f"there are profiles 1 to 4 in dimension 1, and 1 to 3 in dimension 3; got {profile} in {dimension}"
            )
        mu, kappa, usual = _LADDER[dimension, profile]
        self.profile, self.space, self.length = profile, dimension, usual if length is None else length
        if not self.length > 0:
            raise UserError(f"the length must be positive, got {length}")
        truth = _profile(dimension, profile).numbers
        self.mu = Unknown(None, mu, truth=float(truth[0]))
        self.kappa = Unknown(None, kappa, truth=float(truth[1]))

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the centre."""
        line = Interval(z=(0.0, 1.0))
        return {
            "profile": Constraint(line, self.residual),
            "centre": Constraint(line.face("z", 1.0), self.centre),
        }

    def residual(self, z: Field, f: Field, g: Field, kappa: Tensor) -> tuple[Field, Field]:
        """Both parts of the equation divided by z^{a+1}."""
        sigma, n = _SIGMA[self.space], self.space
        a, b = 1 / (2 * sigma), 1 / (2 * kappa)
        # (θ + a + ib)(f + ig) = p + iq, and once more
        p, q = radial_slope(f, z, a) - b * g, radial_slope(g, z, a) + b * f
        r, s = radial_slope(p, z, a) - b * q, radial_slope(q, z, a) + b * p
        factor = 4 * z + (2 * n - 4)
        power = (f * f + g * g) ** sigma - 1
        real, imaginary = (4 * (1 - z) * r - factor * p, 4 * (1 - z) * s - factor * q)
        return (
            real / self.length**2 + power * f - kappa / sigma * g + 2 * kappa * (1 - z) * g.d(z),
            imaginary / self.length**2 + power * g + kappa / sigma * f - 2 * kappa * (1 - z) * f.d(z),
        )

    def centre(self, f: Field, g: Field, mu: Tensor) -> tuple[Field, Field]:
        """The size μ, and the phase, which is free."""
        return f - mu, g

    def reference(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shooting from the centre and from infinity in ξ, to 1e-12."""
        f, g = _profile(self.space, self.profile).compact(z, self.length)
        return f, g


@cache
def _profile(dimension: int, number: int) -> Profile:
    return shoot(dimension, _SIGMA[dimension], _GUESSES[dimension, number])
