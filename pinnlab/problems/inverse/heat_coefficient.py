"""A conductivity field from measurements of a temperature."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Box, PointSet
from pinnlab.jets import Field

COUNT = 2500
"""The number of measurements."""


class HeatCoefficient(Equation):
    """u_t = ∇·(a ∇u) + f on [−1, 1]², t ≤ 1, a = 2 on the walls, with the whole field a(x, y) from 2500 values of u.

    HInv of PINNacle (Hao et al. 2023, arXiv 2306.08827): f is such that u = e^{−t} sin πx sin πy and
    a = 2 + sin πx sin πy. The conductivity a is a second output of the network, and a_t = 0 says that it does not
    change; neither the start nor the walls' values of u are given. Noise is amplified, for ∇u and Δu enter; that of the
    benchmark is 0.1, where the largest u is 1. Times and places are random, and the noise is Gaussian, with a fixed
    seed.

    Example:
        >>> import torch
        >>> point = {"t": torch.tensor([0.0]), "x": torch.tensor([0.5]), "y": torch.tensor([0.5])}
        >>> [field.value for field in HeatCoefficient().solution(point).values()]
        [tensor([1.]), tensor([3.])]
    """

    inputs = ("t", "x", "y")
    outputs = ("u", "a")

    def __init__(self, noise: float = 0.0) -> None:
        """Sets the standard deviation of the noise.

        Raises:
            UserError: if it is negative.
        """
        super().__init__()
        if not noise >= 0:
            raise UserError(f"the noise must be 0 or more, got {noise}")
        self.noise = noise

    def constraints(self) -> dict[str, Constraint]:
        """The equation with the steady conductivity, its values on the walls, and the measurements."""
        box = Box(t=(0.0, 1.0), x=(-1.0, 1.0), y=(-1.0, 1.0))
        t, x, y, m = _measured(self.noise)
        return {
            "interior": Constraint(box, self.residual),
            "walls": Constraint(box.faces("x", "y"), lambda a: a - 2),
            "data": Constraint(PointSet(t=t, x=x, y=y, m=m), lambda u, m: u - m),
        }

    def residual(self, t: Field, x: Field, y: Field, u: Field, a: Field) -> tuple[Field, Field]:
        """The balance of heat, and a_t."""
        flow = (a * u.d(x)).d(x) + (a * u.d(y)).d(y)
        return u.d(t) - flow - self.source(t, x, y), a.d(t)

    def source(self, t: Field, x: Field, y: Field) -> Field:
        """The source f = −u + 2π² a u − a_x u_x − a_y u_y of the solution."""
        u, a = self.exact(t, x, y)
        across = (math.pi * x).cos() * (math.pi * y).sin()
        up = (math.pi * x).sin() * (math.pi * y).cos()
        return (2 * math.pi**2 * a - 1) * u - math.pi**2 * (-t).exp() * (across * across + up * up)

    def exact(self, t: Field, x: Field, y: Field) -> tuple[Field, Field]:
        """The temperature e^{−t} sin πx sin πy, and the conductivity 2 + sin πx sin πy."""
        wave = (math.pi * x).sin() * (math.pi * y).sin()
        return (-t).exp() * wave, 2 + wave


@cache
def _measured(noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times, places and measurements."""
    draw = np.random.default_rng(14)
    t, (x, y) = draw.random(COUNT), draw.uniform(-1, 1, (2, COUNT))
    u = np.exp(-t) * np.sin(math.pi * x) * np.sin(math.pi * y)
    return t, x, y, u + noise * draw.normal(size=COUNT)
