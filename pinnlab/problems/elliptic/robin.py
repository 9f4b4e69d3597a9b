"""Laplace's equation with Robin's condition on a disc."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Disc
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class RobinDisc(Equation):
    """Δu = 0 on the unit disc, ∂u/∂n + u = g on its rim, with g such that u = e^x cos y.

    Robin's condition is that of a body that loses heat through its surface: the flux is proportional to u − g.

    Example:
        >>> import torch
        >>> RobinDisc().solution({"x": torch.tensor([1.0]), "y": torch.tensor([0.0])})["u"].value
        tensor([2.7183])
    """

    inputs = ("x", "y")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the rim."""
        disc = Disc((0.0, 0.0), 1.0)
        return {
            "interior": Constraint(disc, lambda x, y, u: laplacian(u, x, y)),
            "rim": Constraint(disc.boundary, self.rim),
        }

    def rim(self, x: Field, y: Field, u: Field, normal_x: Field, normal_y: Field) -> Field:
        """∂u/∂n + u − g."""
        g = x.exp() * (normal_x * y.cos() - normal_y * y.sin() + y.cos())
        return normal_x * u.d(x) + normal_y * u.d(y) + u - g

    def exact(self, x: Field, y: Field) -> Field:
        """The harmonic function e^x cos y."""
        return x.exp() * y.cos()
