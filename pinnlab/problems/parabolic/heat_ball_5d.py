"""Heat conduction in a ball of five dimensions."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Ball, Interval
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class HeatBall5D(Equation):
    """u_t = Δu/5 − |x|² u/5 in the unit ball of R⁵, ∂u/∂n given, from exp(|x|²/2), t ≤ 1: u = exp(|x|²/2 + t).

    Heat that a sink takes away in proportion to the temperature, more of it further out, while a flux through the
    surface brings more in. What is hard are the six inputs, which no grid covers. The problem HNd of PINNacle (Hao et
    al. 2024, appendix B).

    Example:
        >>> import torch
        >>> points = {name: torch.zeros(1) for name in HeatBall5D.inputs}
        >>> HeatBall5D().solution(points)["u"].value
        tensor([1.])
    """

    inputs = ("t", "x1", "x2", "x3", "x4", "x5")
    outputs = ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, and the flux through the surface."""
        ball, time = Ball([0.0] * 5, names=self.inputs[1:]), Interval(t=(0.0, 1.0))
        inside = time * ball
        return {
            "interior": Constraint(inside, self.residual),
            "start": Constraint(inside.face("t", 0.0), self.start),
            "surface": Constraint(time * ball.boundary, self.flux),
        }

    def residual(self, t: Field, x1: Field, x2: Field, x3: Field, x4: Field, x5: Field, u: Field) -> Field:
        """The equation, times 5."""
        square = x1 * x1 + x2 * x2 + x3 * x3 + x4 * x4 + x5 * x5
        return 5 * u.d(t) - laplacian(u, x1, x2, x3, x4, x5) + square * u

    def start(self, t: Field, x1: Field, x2: Field, x3: Field, x4: Field, x5: Field, u: Field) -> Field:
        """The difference from the start."""
        return u - self.exact(t, x1, x2, x3, x4, x5)

    def flux(
        self, t: Field, x1: Field, x2: Field, x3: Field, x4: Field, x5: Field, u: Field,
        normal_x1: Field, normal_x2: Field, normal_x3: Field, normal_x4: Field, normal_x5: Field,
    ) -> Field:  # fmt: skip
        """∂u/∂n − exp(½ + t)."""
        places, normals = (x1, x2, x3, x4, x5), (normal_x1, normal_x2, normal_x3, normal_x4, normal_x5)
        outwards = sum((n * u.d(x) for n, x in zip(normals, places, strict=True)), start=0.0 * u)
        return outwards - (t + 0.5).exp()

    def exact(self, t: Field, x1: Field, x2: Field, x3: Field, x4: Field, x5: Field) -> Field:
        """The exponential exp(|x|²/2 + t)."""
        return ((x1 * x1 + x2 * x2 + x3 * x3 + x4 * x4 + x5 * x5) / 2 + t).exp()
