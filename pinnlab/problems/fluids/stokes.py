"""Creeping flow."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box, PointSet
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class Stokes(Equation):
    """Δu = p_x, Δv = p_y, u_x + v_y = 0 on [−1, 1]²: streams that collide, with the velocity given on the boundary.

    Stokes' equations of a flow so slow that inertia does not count, and a classical solution by polynomials,

        u = 20xy³, v = 5x⁴ − 5y⁴, p = 60x²y − 20y³

    (Elman, Silvester & Wathen 2014, example 3.1.4). Only the gradient of p counts; p = 0 at the origin makes it unique.

    Example:
        >>> import torch
        >>> flow = Stokes().solution({"x": torch.tensor([1.0]), "y": torch.tensor([0.5])})
        >>> [field.value for field in flow.values()]
        [tensor([2.5000]), tensor([4.6875]), tensor([27.5000])]
    """

    inputs = ("x", "y")
    outputs = ("u", "v", "p")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the boundary and the level of the pressure."""
        square = Box(x=(-1.0, 1.0), y=(-1.0, 1.0))
        return {
            "interior": Constraint(square, self.flow),
            "boundary": Constraint(square.boundary, self.boundary),
            "level": Constraint(PointSet(x=[0.0], y=[0.0]), lambda x, y, p: p),
        }

    def flow(self, x: Field, y: Field, u: Field, v: Field, p: Field) -> tuple[Field, ...]:
        """The balances of momentum and mass."""
        return laplacian(u, x, y) - p.d(x), laplacian(v, x, y) - p.d(y), u.d(x) + v.d(y)

    def boundary(self, x: Field, y: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The differences from the given velocity."""
        return u - 20 * x * y**3, v - 5 * x**4 + 5 * y**4

    def exact(self, x: Field, y: Field) -> tuple[Field, ...]:
        """The velocity and the pressure."""
        return 20 * x * y**3, 5 * x**4 - 5 * y**4, 60 * x * x * y - 20 * y**3
