"""Heat conduction in a cube of four dimensions."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class Heat4D(Equation):
    """u_t = Δu/4 on [0, 1]⁴, t ≤ 1, u given on the boundary, from Σ sin 2x_i: five inputs, and u = e^{−t} Σ sin 2x_i.

    A benchmark of optimisers for many inputs (Dangel, Müller & Zeinhofer 2024, arXiv 2405.15603).

    Example:
        >>> import torch
        >>> start = {name: torch.zeros(1) for name in Heat4D.inputs}
        >>> Heat4D().solution(start | {"x1": torch.full((1,), torch.pi / 4)})["u"].value
        tensor([1.])
    """

    inputs = ("t", "x1", "x2", "x3", "x4")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the walls."""
        places = self.inputs[1:]
        box = Box(t=(0.0, 1.0), **dict.fromkeys(places, (0.0, 1.0)))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), self.given),
            "walls": Constraint(box.faces(*places), self.given),
        }

    def residual(self, t: Field, x1: Field, x2: Field, x3: Field, x4: Field, u: Field) -> Field:
        """The balance of heat."""
        return u.d(t) - laplacian(u, x1, x2, x3, x4) / 4

    def given(self, t: Field, x1: Field, x2: Field, x3: Field, x4: Field, u: Field) -> Field:
        """The difference from the given values."""
        return u - self.exact(t, x1, x2, x3, x4)

    def exact(self, t: Field, x1: Field, x2: Field, x3: Field, x4: Field) -> Field:
        """The decaying sum of sines."""
        return (-t).exp() * ((2 * x1).sin() + (2 * x2).sin() + (2 * x3).sin() + (2 * x4).sin())
