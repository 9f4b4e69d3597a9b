"""Maxwell's equations in a cavity."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Field


class Maxwell(Equation):
    """Maxwell's equations E_t = ∂_x Hy − ∂_y Hx, Hx_t = −E_y, Hy_t = E_x on the unit square, E = 0 on its walls, t ≤ 1.

    The electric field E along z and the magnetic field (Hx, Hy) between perfectly conducting walls, in units in which
    the velocity of light is 1. They swing in a mode of the cavity with the numbers (m, n) and ω = π√(m² + n²):

        E  = sin mπx sin nπy cos ωt
        Hx = −(nπ/ω) sin mπx cos nπy sin ωt
        Hy = (mπ/ω) cos mπx sin nπy sin ωt

    Energy goes to and fro between the electric and the magnetic field (Jackson 1999, section 8.7).

    Example:
        >>> import torch
        >>> points = {"t": torch.tensor([0.0]), "x": torch.tensor([0.5]), "y": torch.tensor([0.5])}
        >>> Maxwell().solution(points)["E"].value
        tensor([1.])
    """

    inputs = ("t", "x", "y")
    outputs = ("E", "Hx", "Hy")

    def __init__(self, modes: tuple[int, int] = (1, 1)) -> None:
        """Sets the numbers (m, n) of half waves along x and y.

        Raises:
            UserError: if one of them is not positive.
        """
        super().__init__()
        if min(modes) < 1:
            raise UserError(f"the numbers of half waves must be 1 or more, got {modes[0]} and {modes[1]}")
        self.modes = modes

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the start without a magnetic field, and the walls."""
        box = Box(t=(0.0, 1.0), x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), self.start),
            "walls": Constraint(box.faces("x", "y"), lambda t, x, y, E: E),
        }

    def residual(self, t: Field, x: Field, y: Field, E: Field, Hx: Field, Hy: Field) -> tuple[Field, ...]:
        """Ampère's law and both components of Faraday's."""
        return E.d(t) - Hy.d(x) + Hx.d(y), Hx.d(t) + E.d(y), Hy.d(t) - E.d(x)

    def start(self, t: Field, x: Field, y: Field, E: Field, Hx: Field, Hy: Field) -> tuple[Field, ...]:
        """The differences from the fields at the start."""
        m, n = self.modes
        return E - (m * math.pi * x).sin() * (n * math.pi * y).sin(), Hx, Hy

    def exact(self, t: Field, x: Field, y: Field) -> tuple[Field, ...]:
        """The mode of the cavity."""
        m, n = self.modes
        rate = math.hypot(m, n)
        along, across, phase = m * math.pi * x, n * math.pi * y, rate * math.pi * t
        return (
            along.sin() * across.sin() * phase.cos(),
            -n / rate * along.sin() * across.cos() * phase.sin(),
            m / rate * along.cos() * across.sin() * phase.sin(),
        )
