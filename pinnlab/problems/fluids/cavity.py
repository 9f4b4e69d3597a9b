"""The lid-driven cavity."""

from __future__ import annotations

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box, PointSet
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian
from pinnlab.references.cavity import cavity


class Cavity(Equation):
    """Steady Navier-Stokes in the unit square under a lid of velocity 4x(1 − x): u·∇u + ∇p = Δu/Re, ∇·u = 0.

    The other walls are at rest, and p(0, 0) = 0. At the upper corners p has a logarithm. This lid, which stands still
    at its ends, is that of PINNacle (Hao et al. 2023, arXiv 2306.08827) with Re = 100; the classical one moves as a
    whole (Ghia, Ghia & Shin 1982).

    Example:
        >>> Cavity(Re=400).Re
        400
    """

    inputs = ("x", "y")
    outputs = ("u", "v", "p")

    def __init__(self, Re: float = 100.0) -> None:
        """Sets the Reynolds number."""
        super().__init__()
        self.Re = Re

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the lid, the walls and the level of the pressure."""
        square = Box(x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(square, self.flow),
            "lid": Constraint(square.face("y", 1.0), lambda x, y, u, v: (u - 4 * x * (1 - x), v)),
            "sides": Constraint(square.faces("x"), lambda x, y, u, v: (u, v)),
            "bottom": Constraint(square.face("y", 0.0), lambda x, y, u, v: (u, v)),
            "level": Constraint(PointSet(x=[0.0], y=[0.0]), lambda x, y, p: p),
        }

    def flow(self, x: Field, y: Field, u: Field, v: Field, p: Field) -> tuple[Field, ...]:
        """The balances of momentum and mass."""
        return (
            u * u.d(x) + v * u.d(y) + p.d(x) - laplacian(u, x, y) / self.Re,
            u * v.d(x) + v * v.d(y) + p.d(y) - laplacian(v, x, y) / self.Re,
            u.d(x) + v.d(y),
        )

    def reference(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        """Chebyshev collocation of degree 40, the corners' Stokes flow taken off: velocities to 1e-5 at Re = 100."""
        found = cavity(x, y, self.Re)
        return found["u"], found["v"], found["p"]
