"""The screened Poisson equation on a square with four holes."""

from __future__ import annotations

import math

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box, Disc
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian
from pinnlab.references.screened import DISCS, screened


class ScreenedPoisson(Equation):
    """−Δu + 64 u = 10 (17 + x² + y²) sin πx sin 4πy on [−1, 1]² without four discs, u = 0.2 outside, u = 1 on them.

    The linear equation of Poisson and Boltzmann for the potential among charged bodies in salt water: what is held on a
    disc decays within an eighth of a unit. Beside the corners of the square u behaves as r² log r, since 64 u = 12.8 on
    its sides. P2d-CG of PINNacle (Hao et al. 2023, arXiv 2306.08827).

    Example:
        >>> import torch
        >>> ScreenedPoisson().solution({"x": torch.tensor([0.0]), "y": torch.tensor([0.0])})["u"].value
        tensor([0.2903])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the outer boundary and the discs."""
        square = Box(x=(-1.0, 1.0), y=(-1.0, 1.0))
        first, second, third, fourth = (Disc((x, y), radius) for x, y, radius in DISCS)
        discs = first | second | third | fourth
        return {
            "interior": Constraint(square - discs, self.residual),
            "outer": Constraint(square.boundary, lambda x, y, u: u - 0.2),
            "discs": Constraint(discs.boundary, lambda x, y, u: u - 1),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """Δu − 64 u plus the source."""
        source = 10 * (17 + x * x + y * y) * (math.pi * x).sin() * (4 * math.pi * y).sin()
        return laplacian(u, x, y) - 64 * u + source

    def reference(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Closed forms and Bessel functions around the discs, to 1e-10 on the boundary and so inside."""
        return screened(x, y)
