"""Self-similar blow-up of the Córdoba-Córdoba-Fontelos model."""

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

RUNGS = ((1.0, None, 1.1807776628998), (0.6, (0.55, 0.8), 0.6057337012032), (0.47, (0.455, 0.5), None))
"""Of each rung where λ begins, its interval, and the published value (Wang et al. 2025, arXiv 2509.14185)."""


CORE = 3.0
"""Up to this z = arsinh y the equation has most of its points; beyond, Ω is a sum of a few powers of y."""


class CordobaCordobaFontelos(Equation):
    """Ω + ((1 + λ)y + U)Ω' + U'Ω = 0, U' = HΩ on the line, Ω'(0) = 1 and Ω odd: profile Ω and exponent λ together.

    The substitution θ_x = Ω(y)/(1 − t) with y = x (1 − t)^{−(1+λ)} turns θ_t + (Hθ) θ_x = 0 into this equation, up to
    signs (Córdoba, Córdoba & Fontelos 2005). The coordinate is z with y = sinh z, and the outputs are Ω and
    V = U/√(1 + y²): both decay like y^{−1/(1+λ)}, slower than any quadrature on an interval can bear. H is the Hilbert
    transform; the equation takes it from the slope of U, HΩ = V' + V tanh z with ' = d/dz, and so needs a network with
    U' = HΩ, which `Conjugate` is. Smooth profiles exist for single λ, of which the first is stable.

    Example:
        >>> equation = CordobaCordobaFontelos()
        >>> equation.lam.start, equation.lam.truth
        (1.0, 1.1807776628998)
    """

    inputs = ("z",)
    outputs = ("Omega", "V")

    def __init__(
        self,
        rung: int = 0,
        start: float | None = None,
        bounds: tuple[float, float] | None = None,
        slope: float = 1.0,
        reach: float = 20.0,
    ) -> None:
        """Chooses a rung of the ladder.

        Args:
            rung: 0, 1 or 2: how often λ has become smaller.
            start: Where λ begins; by default a number near the rung.
            bounds: The interval for λ; by default one that excludes other rungs.
            slope: Ω'(0), which fixes the scale of y.
            reach: The largest z.

        Raises:
            UserError: if there is no such rung, or the slope or the reach is not positive.
        """
        super().__init__()
        if rung not in range(len(RUNGS)):
            raise UserError(f"the rung must be 0, 1 or 2, got {rung}")
        if not (slope > 0 and reach > 0):
            raise UserError(f"the slope and the reach must be positive, got {slope} and {reach}")
        self.rung, self.slope, self.reach = rung, slope, reach
        first, interval, published = RUNGS[rung]
        self.lam = Unknown(start or first, bounds or interval, truth=published, linear=True)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, relative to the decay of Ω, and the slope at the origin."""
        return {
            "core": Constraint(Interval(z=(0.0, CORE)), self.residual, points=160),
            "tail": Constraint(Interval(z=(CORE, self.reach)), self.residual, points=60),
            "origin": Constraint(PointSet(z=[0.0]), lambda z, Omega: Omega.d(z) - self.slope),
        }

    def residual(self, z: Field, Omega: Field, V: Field, lam: Tensor) -> Field:
        """Ω + ((1 + λ) tanh z + V) Ω_z + (V_z + V tanh z) Ω, times y^{1/(1+λ)} for the λ of the start."""
        tanh = z.tanh()
        terms = Omega + ((1 + lam) * tanh + V) * Omega.d(z) + (V.d(z) + V * tanh) * Omega
        return terms * (z.cosh().log() / (1 + self.lam.start)).exp()

    def reference(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Newton's method on a grid in log y."""
        Omega, V = vorticity_profiles.at(vorticity_profiles.ccf(self.rung), z, self.slope)
        return Omega, V
