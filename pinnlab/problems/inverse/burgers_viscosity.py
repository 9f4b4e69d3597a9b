"""A viscosity from measurements."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.unknowns import Unknown
from pinnlab.geometry import Box, PointSet
from pinnlab.jets import Field
from pinnlab.references.cole_hopf import cole_hopf

VISCOSITY = 0.05
"""The true viscosity."""


class BurgersViscosity(Equation):
    """u_t + u u_x = ν u_xx on [−1, 1], u = 0 at the walls, from −sin πx, t ≤ 1, with ν from 200 measurements of u.

    The true ν is 0.05. The places are random, with a fixed seed, and so is the Gaussian noise of a given size (the
    largest |u| is 1). With a noise of 0.01 the standard error of ν is 0.49 %, and least squares among exact solutions
    find ν 0.26 % too small. The idea of such a search is that of Raissi, Perdikaris & Karniadakis (2019, section 4).

    Example:
        >>> BurgersViscosity().nu.truth
        0.05
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def __init__(self, noise: float = 0.0) -> None:
        """Sets the standard deviation of the noise."""
        super().__init__()
        self.noise = noise
        self.nu = Unknown(0.1, truth=VISCOSITY)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, the walls and the measurements."""
        box = Box(t=(0.0, 1.0), x=(-1.0, 1.0))
        t, x, m = _measured(self.noise)
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: u + (math.pi * x).sin()),
            "walls": Constraint(box.faces("x"), lambda t, x, u: u),
            "data": Constraint(PointSet(t=t, x=x, m=m), lambda t, x, u, m: u - m),
        }

    def residual(self, t: Field, x: Field, u: Field, nu: Tensor) -> Field:
        """The balance u_t + u u_x − ν u_xx."""
        return u.d(t) + u * u.d(x) - nu * u.d(x, x)

    def reference(self, t: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The integral of Cole and Hopf, without noise."""
        return cole_hopf(t, x, VISCOSITY)


@cache
def _measured(noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, places and measurements."""
    draw = np.random.default_rng(14)
    t, x = draw.random(200), draw.uniform(-1, 1, 200)
    return t, x, cole_hopf(t, x, VISCOSITY) + noise * draw.normal(size=200)
