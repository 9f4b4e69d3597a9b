"""The L-shape."""

from __future__ import annotations

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Polygon
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian
from pinnlab.references.harmonic import elbow


class LShape(Equation):
    """−Δu = 1 on [−1, 1]² without its fourth quadrant, u = 0 on the boundary.

    At the inner corner u behaves as r^{2/3}, so that its gradient is unbounded there: a network alone resolves it
    poorly, and a solve to a tolerance says so. With that function and a linear unknown as its factor the solution is
    found to 1e-12 (`docs/how-to/coefficients.md`; Fox, Henrici & Moler 1967 for the method).

    Example:
        >>> import torch
        >>> LShape().solution({"x": torch.tensor([-0.5]), "y": torch.tensor([0.5])})["u"].value
        tensor([0.1311])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        shape = Polygon([(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)])
        return {
            "interior": Constraint(shape, self.residual),
            "boundary": Constraint(shape.boundary, lambda x, y, u: u),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """Δu + 1."""
        return laplacian(u, x, y) + 1

    def reference(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """A series of the corners' singular functions, to 1e-12 on the boundary and so inside."""
        return elbow(x, y)
