"""A coefficient field from measurements."""

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


class PoissonCoefficient(Equation):
    """−∇·(a ∇u) = f on [0, 1]², a given on the boundary, with the whole field a from 2500 measurements of u.

    PInv of PINNacle (Hao et al. 2023, arXiv 2306.08827): f is such that u = sin πx sin πy and
    a = 1 / (1 + x² + y² + (x − 1)² + (y − 1)²). The unknown coefficient a is a function, and so a second output of the
    network. Where u is known, the equation is one of first order for a along the lines of steepest slope of u, which
    begin at the boundary. Noise is amplified, for ∇u and Δu enter; that of the benchmark is 0.1, where the largest u is
    1. The places are random, and the noise is Gaussian, both with a fixed seed.

    Example:
        >>> import torch
        >>> middle = {"x": torch.tensor([0.5]), "y": torch.tensor([0.5])}
        >>> [field.value for field in PoissonCoefficient().solution(middle).values()]
        [tensor([1.]), tensor([0.5000])]
    """

    inputs = ("x", "y")
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
        """The equation, the coefficient on the boundary and the measurements."""
        square = Box(x=(0.0, 1.0), y=(0.0, 1.0))
        x, y, m = _measured(self.noise)
        return {
            "interior": Constraint(square, self.residual),
            "boundary": Constraint(square.boundary, lambda x, y, a: a - self.coefficient(x, y)),
            "data": Constraint(PointSet(x=x, y=y, m=m), lambda u, m: u - m),
        }

    def residual(self, x: Field, y: Field, u: Field, a: Field) -> Field:
        """∇·(a ∇u) + f."""
        return (a * u.d(x)).d(x) + (a * u.d(y)).d(y) + self.source(x, y)

    def source(self, x: Field, y: Field) -> Field:
        """The source f = 2π² a u − a_x u_x − a_y u_y of the solution, with a_x = −(4x − 2) a²."""
        u, a = self.exact(x, y)
        across = (4 * x - 2) * (math.pi * x).cos() * (math.pi * y).sin()
        up = (4 * y - 2) * (math.pi * x).sin() * (math.pi * y).cos()
        return 2 * math.pi**2 * a * u + math.pi * a * a * (across + up)

    def coefficient(self, x: Field, y: Field) -> Field:
        """The true coefficient 1 / (1 + x² + y² + (x − 1)² + (y − 1)²)."""
        return 1 / (1 + x * x + y * y + (x - 1) ** 2 + (y - 1) ** 2)

    def exact(self, x: Field, y: Field) -> tuple[Field, ...]:
        """The product sin πx · sin πy, and the coefficient."""
        return (math.pi * x).sin() * (math.pi * y).sin(), self.coefficient(x, y)


@cache
def _measured(noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places and measurements."""
    draw = np.random.default_rng(14)
    x, y = draw.random((2, COUNT))
    return x, y, np.sin(math.pi * x) * np.sin(math.pi * y) + noise * draw.normal(size=COUNT)
