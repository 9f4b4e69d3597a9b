"""A square with four holes."""

from __future__ import annotations

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box, Disc
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian
from pinnlab.references.harmonic import holes


class FourHoles(Equation):
    """Δu = 0 on [−½, ½]² without the discs of radius 0.1 at (±0.3, ±0.3), u = 1 outside, u = 0 on the discs.

    P2d-C of PINNacle (Hao et al. 2023, arXiv 2306.08827).

    Example:
        >>> import torch
        >>> FourHoles().solution({"x": torch.tensor([0.0]), "y": torch.tensor([0.0])})["u"].value
        tensor([0.2336])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the outer boundary and the discs."""
        square = Box(x=(-0.5, 0.5), y=(-0.5, 0.5))
        discs = Disc((0.3, 0.3), 0.1) | Disc((-0.3, 0.3), 0.1) | Disc((-0.3, -0.3), 0.1) | Disc((0.3, -0.3), 0.1)
        return {
            "interior": Constraint(square - discs, self.residual),
            "outer": Constraint(square.boundary, lambda x, y, u: u - 1),
            "discs": Constraint(discs.boundary, lambda x, y, u: u),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """Δu."""
        return laplacian(u, x, y)

    def reference(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """A multipole series, to 1e-13 on the boundary and so inside."""
        return holes(x, y)
