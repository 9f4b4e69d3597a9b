"""The vortices of Taylor and Green."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.periodic import periodic
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval, PointSet
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class TaylorGreen(Equation):
    """Navier-Stokes u_t + u·∇u + ∇p = ν Δu, ∇·u = 0 on [0, 2π]², periodic, t ≤ 1, ν = 0.1: vortices that decay.

    From u = cos x sin y, v = −sin x cos y, four vortices that turn against each other. The pressure balances their
    centrifugal force exactly, so that nothing but friction changes them:

        u = cos x sin y e^{−2νt}, v = −sin x cos y e^{−2νt}, p = −¼ (cos 2x + cos 2y) e^{−4νt}

    (Taylor & Green 1937). Only the gradient of p counts; p = 0 at (0, π/2) makes it unique.

    Example:
        >>> import torch
        >>> points = {"t": torch.zeros(1), "x": torch.zeros(1), "y": torch.tensor([torch.pi / 2])}
        >>> TaylorGreen().solution(points)["u"].value
        tensor([1.])
    """

    inputs = ("t", "x", "y")
    outputs = ("u", "v", "p")

    def __init__(self, viscosity: float = 0.1) -> None:
        """Sets ν.

        Raises:
            UserError: if it is not positive.
        """
        super().__init__()
        if viscosity <= 0:
            raise UserError(f"the viscosity must be positive, got {viscosity}")
        self.viscosity = viscosity

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the start, equal opposite sides, and the level of the pressure."""
        time = Interval(t=(0.0, 1.0))
        box = Box(t=(0.0, 1.0), x=(0.0, 2 * math.pi), y=(0.0, 2 * math.pi))
        return {
            "interior": Constraint(box, self.flow),
            "start": Constraint(box.face("t", 0.0), self.start),
            "sides": periodic(box, "x", "u", "v", "p"),
            "ends": periodic(box, "y", "u", "v", "p"),
            "level": Constraint(time * PointSet(x=[0.0], y=[math.pi / 2]), lambda t, x, y, p: p),
        }

    def flow(self, t: Field, x: Field, y: Field, u: Field, v: Field, p: Field) -> tuple[Field, ...]:
        """The balances of momentum and mass."""
        return (
            u.d(t) + u * u.d(x) + v * u.d(y) + p.d(x) - self.viscosity * laplacian(u, x, y),
            v.d(t) + u * v.d(x) + v * v.d(y) + p.d(y) - self.viscosity * laplacian(v, x, y),
            u.d(x) + v.d(y),
        )

    def start(self, t: Field, x: Field, y: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The differences from the velocity at the start."""
        return u - x.cos() * y.sin(), v + x.sin() * y.cos()

    def exact(self, t: Field, x: Field, y: Field) -> tuple[Field, ...]:
        """The velocity and the pressure."""
        left = (-2 * self.viscosity * t).exp()
        pressure = -((2 * x).cos() + (2 * y).cos()) / 4 * left * left
        return x.cos() * y.sin() * left, -x.sin() * y.cos() * left, pressure
