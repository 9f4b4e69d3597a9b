"""Self-similar blow-up of the generalised Constantin-Lax-Majda equation."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval, PointSet
from pinnlab.jets import Field
from pinnlab.references.profiles import vorticity_profiles

CORE = 3.0
"""Up to this z = arsinh y the equation has most of its points; beyond, Ω is a sum of a few powers of y."""


class GeneralisedCLM(Equation):
    """(c y + aU)Ω' = (HΩ − 1)Ω, U' = HΩ on the line, Ω odd, Ω'(0) = −4: profile Ω and exponent c together.

    The substitution ω = Ω(y)/(1 − t) with y = x (1 − t)^{−c} turns ω_t + a u ω_x = u_x ω, u_x = Hω, into this
    equation, up to signs: the model of the vorticity of an ideal fluid of Constantin, Lax & Majda (1985) with the
    transport of Okamoto, Sakajo & Wunsch (2008). For a = ½ the profile is Ω = −4y/(1 + (κy)²)², κ = ¾, with c = ⅓; for
    a = 0 it is Ω = −y/(y² + ¼) with c = 1. c falls to 0 at a = 0.68906653, where the decay y^{−1/c} of Ω becomes
    exponential (Lushnikov, Silantyev & Siegel 2021, arXiv 2010.01201). The coordinate is z with y = sinh z, and the
    outputs are Ω and V = U/√(1 + y²). HΩ is the slope of U, so that the equation needs a network with U' = HΩ, which
    `Conjugate` is.

    Example:
        >>> round(GeneralisedCLM(0.5).c.truth, 12)
        0.333333333333
    """

    inputs = ("z",)
    outputs = ("Omega", "V")

    def __init__(self, a: float = 0.5, start: float | None = None, slope: float = -4.0, reach: float = 12.0) -> None:
        """Sets a.

        Args:
            a: How much the vorticity is carried along, 0 ≤ a < 0.68.
            start: Where c begins; by default 1 − 4a/3, which is right for a = 0 and a = ½.
            slope: Ω'(0), which fixes the scale of y.
            reach: The largest z.

        Raises:
            UserError: if a is not in its interval, the slope is not negative, or the reach is not positive.
        """
        super().__init__()
        if not 0 <= a < 0.68:
            raise UserError(f"a must be at least 0 and less than 0.68, got {a}")
        if not (slope < 0 < reach):
            raise UserError(f"the slope must be negative and the reach positive, got {slope} and {reach}")
        self.a, self.slope, self.reach = a, slope, reach
        truth = {0.0: 1.0, 0.5: 1 / 3}.get(a)
        self.c = Unknown(max(1 - 4 * a / 3, 0.1) if start is None else start, truth=truth, linear=True)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, relative to the decay of Ω, and the slope at the origin."""
        return {
            "core": Constraint(Interval(z=(0.0, CORE)), self.residual, points=160),
            "tail": Constraint(Interval(z=(CORE, self.reach)), self.residual, points=60),
            "origin": Constraint(PointSet(z=[0.0]), lambda z, Omega: Omega.d(z) - self.slope),
        }

    def residual(self, z: Field, Omega: Field, V: Field, c: Tensor) -> Field:
        """(c tanh z + aV) Ω_z − (V_z + V tanh z − 1) Ω, times y^{1/c} for the c of the start."""
        tanh = z.tanh()
        terms = (c * tanh + self.a * V) * Omega.d(z) - (V.d(z) + V * tanh - 1) * Omega
        return terms * (z.cosh().log() / self.c.start).exp()

    def reference(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The formulas for a = 0 and ½; for others Newton's method on a grid in log y."""
        y = np.sinh(z)
        if self.a == 0.5:
            x = -0.1875 * self.slope * y
            return self.slope * y / (1 + x * x) ** 2, 8 / 3 * y / (1 + x * x) / np.cosh(z)
        if self.a == 0:
            x = -self.slope / 2 * y
            return -2 * x / (1 + x * x), -4 / self.slope * np.arctan(x) / np.cosh(z)
        Omega, V = vorticity_profiles.at(vorticity_profiles.clm(self.a), z, self.slope)
        return Omega, V
