"""A coefficient from measurements."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch

from experiments.tolerance.references.burgers import cole_hopf
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Box, PointSet
from pinnlab.problems import ViscousBurgers

VISCOSITY = 0.05


class BurgersViscosity(Equation):
    """u_t + u u_x = ν u_xx on [−1, 1], u = 0 at the walls, from −sin πx, t ≤ 1; ν is sought, and is 0.05.

    u is measured at 200 random points, with Gaussian noise of the given size (the largest |u| is 1) and a fixed seed.
    For a noise of 0.01 the standard error of ν is 0.49 %, and least squares among exact solutions of the equation finds
    ν 0.26 % too small.
    """

    inputs, outputs = ("t", "x"), ("u",)

    def __init__(self, noise: float = 0.0) -> None:
        super().__init__()
        self.noise = noise
        self.nu = Unknown(0.1, truth=VISCOSITY)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, the walls and the measurements."""
        box = Box(t=(0, 1), x=(-1, 1))
        t, x, m = measured(self.noise)
        return {
            "interior": Constraint(box, lambda t, x, u, nu: u.d(t) + u * u.d(x) - nu * u.d(x, x)),
            "start": Constraint(box.face("t", 0), lambda x, u: u + torch.sin(math.pi * x)),
            "walls": Constraint(box.faces("x"), lambda u: u),
            "data": Constraint(PointSet(t=t, x=x, m=m), lambda u, m: u - m),
        }

    def exact(self, t, x):
        """The Cole-Hopf integral by 200-point Gauss-Hermite quadrature."""
        return ViscousBurgers(VISCOSITY).exact(t, x)


@cache
def measured(noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, places and measurements."""
    draw = np.random.default_rng(14)
    t, x = draw.random(200), draw.uniform(-1, 1, 200)
    return t, x, cole_hopf(t, x, VISCOSITY) + noise * draw.normal(size=200)
