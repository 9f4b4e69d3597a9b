"""Blow-up of the complex Ginzburg-Landau equation."""

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
from pinnlab.problems.blowup.local.compact import ginzburg_landau
from pinnlab.references.ginzburg_landau import profile as shoot
from pinnlab.references.radial import Profile

_SIGMA, _LENGTH = 2.3, 2.0
_LOWEST, _HIGHEST = 0.5, 0.82
_GUESSES = (
    (0.50, 1.275, 0.0591),
    (0.55, 1.270, 0.0606),
    (0.60, 1.264, 0.0595),
    (0.66, 1.257, 0.0539),
    (0.72, 1.249, 0.0431),
    (0.82, 1.236, 0.0132),
)
"""κ, μ and ε of some profiles of the branch, where the classical shooting begins."""


class GinzburgLandauProfile(Equation):
    """(1−iε)Q'' + iκξQ' + iκQ/σ − Q + |Q|^{2σ}Q = 0 on [0, ∞), Q'(0) = 0, with Q(0) = μ > 0 and ε unknown.

    Schrödinger's equation with diffusion, i u_t + (1 − iε) Δu + |u|^{2σ}u = 0, here in one dimension with σ = 2.3,
    blows up along profiles with

    (1 − iε) Q'' + iκξQ' + iκQ/σ − Q + |Q|^{2σ}Q = 0,  Q(0) = μ > 0,  Q'(0) = 0,  Q ~ γ ξ^{−1/σ − i/κ},

    and θ = z d/dz, a = (1/σ + i/κ)/2, Q = z^a F(z), z = 1/(1 + ξ²/ℓ²), F = f + ig as for `SchrodingerProfile`. The
    branch of profiles that begins at ε = 0, κ = 0.8531 turns back at ε* = 0.06064, κ* = 0.5546: up to there are two
    profiles for each ε, and beyond it none. κ falls all along the branch; so κ is given here and ε is found, which
    passes the turning point like any other (Plecháč & Šverák 2001; proved by Dahne & Figueras 2024, arXiv 2410.05480).

    Example:
        >>> equation = GinzburgLandauProfile(kappa=0.6)
        >>> round(equation.epsilon.truth, 9)
        0.059450077
    """

    inputs = ("z",)
    outputs = ("f", "g")

    def __init__(self, kappa: float = 0.55, length: float = _LENGTH) -> None:
        """Sets κ.

        Args:
            kappa: κ, from 0.5 to 0.82.
            length: ℓ, any length; another one is another equation with the same μ and ε.

        Raises:
            UserError: if κ is outside of its range, or the length is not positive.
        """
        super().__init__()
        if not _LOWEST <= kappa <= _HIGHEST:
            raise UserError(f"kappa must be between {_LOWEST} and {_HIGHEST}, got {kappa}")
        if not length > 0:
            raise UserError(f"the length must be positive, got {length}")
        self.kappa, self.length = kappa, length
        truth = _profile(kappa).numbers
        self.mu = Unknown(None, (1.2, 1.3), truth=float(truth[0]))
        self.epsilon = Unknown(None, (0.0, 0.1), truth=float(truth[1]))

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the centre."""
        line = Interval(z=(0.0, 1.0))
        return {
            "profile": Constraint(line, self.residual),
            "centre": Constraint(line.face("z", 1.0), self.centre),
        }

    def residual(self, z: Field, f: Field, g: Field, epsilon: Tensor) -> tuple[Field, Field]:
        """Both parts of the equation divided by z^{a+1}."""
        return ginzburg_landau(z, f, g, self.kappa, epsilon, 1, _SIGMA, self.length)

    def centre(self, f: Field, g: Field, mu: Tensor) -> tuple[Field, Field]:
        """The size μ, and the phase, which is free."""
        return f - mu, g

    def reference(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shooting from the centre and from infinity in ξ, to 1e-12."""
        f, g = _profile(self.kappa).compact(z, self.length)
        return f, g


@cache
def _profile(kappa: float) -> Profile:
    """From the guesses by interpolation."""
    table = np.array(_GUESSES)
    guess = [float(np.interp(kappa, table[:, 0], column)) for column in table[:, 1:].T]
    return shoot(1, _SIGMA, guess, kappa=kappa)
