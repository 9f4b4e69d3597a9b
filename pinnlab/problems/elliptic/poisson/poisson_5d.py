"""Poisson's equation in five inputs."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class Poisson5D(Equation):
    """Δu = −(π²/4) Σ sin(πx_i/2) on [0, 1]⁵, with u = Σ sin(πx_i/2) given on the boundary.

    PNd of PINNacle (Hao et al. 2023, arXiv 2306.08827). In general u = Σ sin(k x_i + b): with k = π and b = π/2 it is
    Σ cos πx_i, the benchmark of Müller & Zeinhofer (2023, arXiv 2302.13163).

    Example:
        >>> import torch
        >>> ones = {name: torch.ones(1) for name in Poisson5D.inputs}
        >>> Poisson5D().solution(ones)["u"].value
        tensor([5.])
    """

    inputs = ("x1", "x2", "x3", "x4", "x5")
    outputs = ("u",)

    def __init__(self, frequency: float = math.pi / 2, phase: float = 0.0) -> None:
        """Sets the frequency k and the phase b of the sines."""
        super().__init__()
        self.frequency, self.phase = frequency, phase

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        cube = Box(**dict.fromkeys(self.inputs, (0.0, 1.0)))
        return {
            "interior": Constraint(cube, self.residual),
            "boundary": Constraint(cube.boundary, self.boundary),
        }

    def residual(self, x1: Field, x2: Field, x3: Field, x4: Field, x5: Field, u: Field) -> Field:
        """Δu + k² Σ sin(k x_i + b)."""
        return laplacian(u, x1, x2, x3, x4, x5) + self.frequency**2 * self.exact(x1, x2, x3, x4, x5)

    def boundary(self, x1: Field, x2: Field, x3: Field, x4: Field, x5: Field, u: Field) -> Field:
        """The difference from the given values."""
        return u - self.exact(x1, x2, x3, x4, x5)

    def exact(self, x1: Field, x2: Field, x3: Field, x4: Field, x5: Field) -> Field:
        """The sum of sin(k x_i + b)."""
        one, two, three, four, five = ((self.frequency * x + self.phase).sin() for x in (x1, x2, x3, x4, x5))
        return one + two + three + four + five
