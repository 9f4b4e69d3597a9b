"""Blow-up of the supercritical semilinear heat equation."""

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
from pinnlab.problems.blowup.local.compact import radial_laplacian
from pinnlab.references.profiles.radial import Profile, Radial, Series

_LADDER = (((2.0, 2.6), 0.3), ((5.0, 6.5), 0.05))
"""The interval for A of each profile, and ℓ."""
_GUESSES = ((2.303, 0.6246), (5.711, 0.891))
"""Where the classical shooting begins: A and lim y^{1/3} w."""
_POWER = 7


class SemilinearHeat(Equation):
    """w'' + (2/y) w' − ½ y w' − w/6 + w⁷ = 0 on [0, ∞), w'(0) = 0, w ~ c y^{−1/3}, with w(0) = A unknown.

    Heat that is made by itself, u_t = Δu + u^p, becomes infinite in finite time. With p = 7 in three dimensions (above
    Sobolev's exponent 5) it does so along u = (T − t)^{−1/(p−1)} w(y), y = |x| (T − t)^{−1/2}, with the constant
    profile w = (p − 1)^{−1/(p−1)}, or with one of a ladder of others:

    w'' + (2/y) w' − ½ y w' − w/(p − 1) + w^p = 0,  w'(0) = 0,  w ~ c y^{−2/(p−1)},

    or [4(1−z)(θ+a)² − (4z+2)(θ+a)]F/ℓ² + (1−z)F' − aF + F^p = 0 on [0, 1], θ = z d/dz.

    Here w = z^a F(z) with a = 1/(p − 1) and z = 1/(1 + y²/ℓ²), so that all of [0, ∞) is the interval [0, 1], with
    infinity at z = 0. The constant and all profiles that do not decay are not smooth in z. That F is smooth is the only
    condition; an interval for A = w(0) tells the profiles of the ladder apart (Budd & Qi 1989; Lepin 1990; for p
    between Sobolev's and Joseph and Lundgren's exponent).

    Example:
        >>> [round(SemilinearHeat(profile).A.truth, 9) for profile in (1, 2)]
        [2.302521412, 5.710960381]
    """

    inputs = ("z",)
    outputs = ("F",)

    def __init__(self, profile: int = 1, length: float | None = None) -> None:
        """Chooses a profile.

        Args:
            profile: 1 or 2.
            length: ℓ, any length; another one is another equation with the same A.

        Raises:
            UserError: if there is no such profile here, or the length is not positive.
        """
        super().__init__()
        if profile not in range(1, len(_LADDER) + 1):
            raise UserError(f"profile must be 1 or 2, got {profile}")
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
        """The equation divided by z^{a+1}."""
        a = 1 / (_POWER - 1)
        return radial_laplacian(F, z, a, 3) / self.length**2 + (1 - z) * F.d(z) - a * F + F**_POWER

    def centre(self, F: Field, A: Tensor) -> Field:
        """F(1) less the unknown."""
        return F - A

    def reference(self, z: np.ndarray) -> np.ndarray:
        """Shooting from the centre and from infinity in y, to 1e-12."""
        return _profile(self.profile).compact(z, self.length)[0]


@cache
def _profile(number: int) -> Profile:
    guess = np.array(_GUESSES[number - 1])
    equation = Radial(
        dimension=3,
        right=lambda y, w, slope, x: slope / 2 + w / (_POWER - 1) - w**_POWER,
        centre=lambda x: x[:1],
        series=lambda x: Series(2 / (_POWER - 1), _coefficients(x[1])),
        first=0.3 * guess[0] ** -3.0, step=0.4, middle=1.0, end=12.0,
    )  # fmt: skip
    return equation.solve(guess)


def _coefficients(size: float, count: int = 30) -> np.ndarray:
    """The c_k of w = Σ c_k y^{−e}, e = 1/3 + 2k: (k + 1) c_{k+1} = −e (e − 1) c_k − (w⁷)_k."""
    c = np.zeros(count + 1)
    c[0] = size
    for k in range(count):
        power = np.ones(1)
        for _ in range(_POWER):
            power = np.convolve(power, c[: k + 1])[: k + 1]
        e = 2 / (_POWER - 1) + 2 * k
        c[k + 1] = -(e * (e - 1) * c[k] + power[k]) / (k + 1)
    return c
