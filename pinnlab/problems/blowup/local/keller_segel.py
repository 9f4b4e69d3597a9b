"""Chemotactic collapse: self-similar profiles of Keller and Segel's equations."""

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
from pinnlab.problems.blowup.local.compact import radial_laplacian, radial_slope
from pinnlab.references.profiles.radial import Profile, Radial, Series

_LADDER = (((0.6, 1.5), 1.0), ((200.0, 450.0), 0.1), ((2e4, 4e4), 0.01))
"""The interval for A of each profile, and ℓ."""
_GUESSES = ((1.01, 1.98), (302.4, 0.83), (27880.0, 1.06))
"""Where the classical shooting begins: A and lim r² Φ."""


class KellerSegel(Equation):
    """Φ'' + 4Φ'/r − ½(2Φ + rΦ') + 6Φ² + r(Φ²)' = 0 on [0, ∞), Φ'(0) = 0, Φ ~ c r^{−2}, with Φ(0) = A unknown.

    Bacteria that follow what they excrete, n_t = Δn − ∇·(n ∇c) with Δc = −n in three dimensions, collapse in finite
    time. The reduced mass Φ = m(r)/r³ of a self-similar collapse, a function of r = |x| (T − t)^{−1/2}, satisfies

    Φ'' + 4Φ'/r − ½(2Φ + rΦ') + 6Φ² + r(Φ²)' = 0,  Φ'(0) = 0,  Φ ~ c r^{−2},

    or [4(1−z)(θ+1)² − (4z+6)(θ+1)]F/ℓ² + (1−z)F' − F + 6F² − 4(1−z)F(θ+1)F = 0 on [0, 1], θ = z d/dz,

    and the density is Q = 2(3Φ + rΦ'). Here Φ = z F(z) with z = 1/(1 + r²/ℓ²), so that all of [0, ∞) is the interval
    [0, 1], with infinity at z = 0. Solutions that grow at infinity, like exp(r²/4), are not smooth in z: that F is
    smooth is the only condition, and it leaves a ladder of profiles, which are told apart by an interval for A = Φ(0).
    The first is Φ = 2/(2 + r²), A = 1, known in closed form (Brenner, Constantin, Kadanoff, Schenkel & Venkataramani
    1999). Infinitely many more exist (Nguyen, Nouaili & Zaag 2025, arXiv 2503.02263); from profile to profile A grows
    by about a factor of a hundred, since a core shrinks like A^{−½} around which Φ follows the stationary solution
    1/r².

    Example:
        >>> [round(KellerSegel(profile).A.truth, 6) for profile in (1, 2)]
        [1.0, 302.392981]
    """

    inputs = ("z",)
    outputs = ("F",)

    def __init__(self, profile: int = 1, length: float | None = None) -> None:
        """Chooses a profile.

        Args:
            profile: 1, 2 or 3.
            length: ℓ, any length; another one is another equation with the same A.

        Raises:
            UserError: if there is no such profile here, or the length is not positive.
        """
        super().__init__()
        if profile not in range(1, len(_LADDER) + 1):
            raise UserError(f"profile must be 1, 2 or 3, got {profile}")
        bounds, usual = _LADDER[profile - 1]
        self.profile, self.length = profile, usual if length is None else length
        if not self.length > 0:
            raise UserError(f"the length must be positive, got {length}")
        self.A = Unknown(None, bounds, truth=float(_profile(profile).numbers[0]))

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and A."""
        line = Interval(z=(0.0, 1.0))
        return {
            "profile": Constraint(line, self.residual),
            "centre": Constraint(line.face("z", 1.0), self.centre),
        }

    def residual(self, z: Field, F: Field) -> Field:
        """The equation divided by z²."""
        first = radial_slope(F, z, 1.0)
        linear = radial_laplacian(F, z, 1.0, 5) / self.length**2 + (1 - z) * F.d(z) - F
        return linear + 6 * F * F - 4 * (1 - z) * F * first

    def centre(self, F: Field, A: Tensor) -> Field:
        """F(1) less the unknown."""
        return F - A

    def reference(self, z: np.ndarray) -> np.ndarray:
        """Shooting from the centre and from infinity in r, to 1e-12."""
        return _profile(self.profile).compact(z, self.length)[0]


@cache
def _profile(number: int) -> Profile:
    guess = np.array(_GUESSES[number - 1])
    equation = Radial(
        dimension=5,
        right=lambda r, u, slope, x: (2 * u + slope) / 2 - 6 * u**2 - 2 * u * slope,
        centre=lambda x: x[:1],
        series=lambda x: Series(2.0, _coefficients(x[1])),
        first=0.5 * guess[0] ** -0.5, step=0.5, middle=1.0, end=14.0,
    )  # fmt: skip
    return equation.solve(guess)


def _coefficients(size: float, count: int = 40) -> np.ndarray:
    """The c_k of Φ = Σ c_k r^{−2−2k}, c₀ given: (k + 1) c_{k+1} = −(2k + 2)(2k − 1) c_k + (2k − 2) Σ_j c_j c_{k−j}."""
    c = np.zeros(count + 1)
    c[0] = size
    for k in range(count):
        square = c[: k + 1] @ c[k::-1]
        c[k + 1] = ((2 * k - 2) * square - (2 * k + 2) * (2 * k - 1) * c[k]) / (k + 1)
    return c
