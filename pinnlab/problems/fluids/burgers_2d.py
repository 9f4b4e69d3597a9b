"""Burgers' equations in two dimensions."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class Burgers2D(Equation):
    """u_t + u u_x + v u_y = Δu/Re and the same for v on the unit square, t ≤ 1, Re = 100: a front along the diagonal.

    Navier-Stokes without pressure. By the transformation of Cole and Hopf a front that travels is known,

        u = 3/4 − 1/(4 (1 + e^φ)), v = 3/4 + 1/(4 (1 + e^φ)) with φ = Re (4y − 4x − t)/32

    (Fletcher 1983). Start and boundary are given by it. The front is about 32/Re wide along the axes and oblique to
    both, so that no stretching of one coordinate makes it gentle.

    Example:
        >>> import torch
        >>> points = {"t": torch.tensor([0.0]), "x": torch.tensor([0.5]), "y": torch.tensor([0.5])}
        >>> [field.value for field in Burgers2D().solution(points).values()]
        [tensor([0.6250]), tensor([0.8750])]
    """

    inputs = ("t", "x", "y")
    outputs = ("u", "v")

    def __init__(self, Re: float = 100.0) -> None:
        """Sets the Reynolds number.

        Raises:
            UserError: if it is not positive.
        """
        super().__init__()
        if Re <= 0:
            raise UserError(f"the Reynolds number must be positive, got {Re}")
        self.Re = Re

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the start and the walls."""
        box = Box(t=(0.0, 1.0), x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), self.given),
            "walls": Constraint(box.faces("x", "y"), self.given),
        }

    def residual(self, t: Field, x: Field, y: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The balances of both components."""
        return (
            u.d(t) + u * u.d(x) + v * u.d(y) - laplacian(u, x, y) / self.Re,
            v.d(t) + u * v.d(x) + v * v.d(y) - laplacian(v, x, y) / self.Re,
        )

    def given(self, t: Field, x: Field, y: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The differences from the given velocity."""
        first, second = self.exact(t, x, y)
        return u - first, v - second

    def exact(self, t: Field, x: Field, y: Field) -> tuple[Field, ...]:
        """The front."""
        part = (-self.Re * (4 * y - 4 * x - t) / 32).sigmoid() / 4
        return 0.75 - part, 0.75 + part
