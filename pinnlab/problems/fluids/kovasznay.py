"""Kovasznay's flow."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box, PointSet
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class Kovasznay(Equation):
    """Steady Navier-Stokes behind a grid, on [−½, 1] × [−½, 3/2]: u·∇u + ∇p = Δu/Re, ∇·u = 0, Re = 40.

    The velocity (u, v) is given on the boundary, and p = 0 at the origin. With
    λ = Re/2 − √(Re²/4 + 4π²) the solution is u = 1 − e^{λx} cos 2πy, v = (λ/2π) e^{λx} sin 2πy, p = (1 − e^{2λx})/2
    (Kovasznay 1948).

    Example:
        >>> import torch
        >>> [field.value for field in Kovasznay().solution({"x": torch.zeros(1), "y": torch.zeros(1)}).values()]
        [tensor([0.]), tensor([-0.]), tensor([0.])]
    """

    inputs = ("x", "y")
    outputs = ("u", "v", "p")

    def __init__(self, Re: float = 40.0) -> None:
        """Sets the Reynolds number."""
        super().__init__()
        self.Re = Re

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the boundary and the level of the pressure."""
        box = Box(x=(-0.5, 1.0), y=(-0.5, 1.5))
        return {
            "interior": Constraint(box, self.flow),
            "boundary": Constraint(box.boundary, self.boundary),
            "level": Constraint(PointSet(x=[0.0], y=[0.0]), lambda x, y, p: p),
        }

    def flow(self, x: Field, y: Field, u: Field, v: Field, p: Field) -> tuple[Field, ...]:
        """The balances of momentum and mass."""
        return (
            u * u.d(x) + v * u.d(y) + p.d(x) - laplacian(u, x, y) / self.Re,
            u * v.d(x) + v * v.d(y) + p.d(y) - laplacian(v, x, y) / self.Re,
            u.d(x) + v.d(y),
        )

    def boundary(self, x: Field, y: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The differences from the given velocity."""
        given_u, given_v, _ = self.exact(x, y)
        return u - given_u, v - given_v

    def exact(self, x: Field, y: Field) -> tuple[Field, ...]:
        """The velocity and the pressure."""
        rate = self.Re / 2 - math.sqrt(self.Re**2 / 4 + 4 * math.pi**2)
        e, angle = (rate * x).exp(), 2 * math.pi * y
        return 1 - e * angle.cos(), rate / (2 * math.pi) * e * angle.sin(), (1 - e * e) / 2
