"""Laplace's equation in ten inputs."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class Laplace10D(Equation):
    """Δu = 0 on [0, 1]¹⁰, with u = x1 x2 + x3 x4 + x5 x6 + x7 x8 + x9 x10 given on the boundary.

    The example of E & Yu's deep Ritz method (2018, section 3.1).

    Example:
        >>> import torch
        >>> ones = {name: torch.ones(1) for name in Laplace10D.inputs}
        >>> Laplace10D().solution(ones)["u"].value
        tensor([5.])
    """

    inputs = ("x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        cube = Box(**dict.fromkeys(self.inputs, (0.0, 1.0)))
        return {
            "interior": Constraint(cube, self.residual),
            "boundary": Constraint(cube.boundary, self.boundary),
        }

    def residual(
        self, x1: Field, x2: Field, x3: Field, x4: Field, x5: Field,
        x6: Field, x7: Field, x8: Field, x9: Field, x10: Field, u: Field,
    ) -> Field:  # fmt: skip
        """Δu."""
        return laplacian(u, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10)

    def boundary(
        self, x1: Field, x2: Field, x3: Field, x4: Field, x5: Field,
        x6: Field, x7: Field, x8: Field, x9: Field, x10: Field, u: Field,
    ) -> Field:  # fmt: skip
        """The difference from the given values."""
        return u - self.exact(x1, x2, x3, x4, x5, x6, x7, x8, x9, x10)

    def exact(
        self, x1: Field, x2: Field, x3: Field, x4: Field, x5: Field,
        x6: Field, x7: Field, x8: Field, x9: Field, x10: Field,
    ) -> Field:  # fmt: skip
        """The sum of products."""
        return x1 * x2 + x3 * x4 + x5 * x6 + x7 * x8 + x9 * x10
