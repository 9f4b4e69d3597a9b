"""A flow of Beltrami's kind."""

from __future__ import annotations

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box, Interval, PointSet
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian


class Beltrami(Equation):
    """Navier-Stokes u_t + u·∇u + ∇p = Δu, ∇·u = 0 on [−1, 1]³, t ≤ 1: vortices along the velocity, in closed form.

    A flow whose vorticity is parallel to its velocity, at the Reynolds number 1. With f = e^{−t} it is

        u = −f (e^x sin(y + z) + e^z cos(x + y))
        v = −f (e^y sin(z + x) + e^x cos(y + z))
        w = −f (e^z sin(x + y) + e^y cos(z + x))

    and p follows by Bernoulli's law, p = −½(u² + v² + w²) but for a constant (Ethier & Steinman 1994, with a = d = 1).
    Start and boundary are given by the velocity, and p is given at the origin. Four inputs and four outputs make it
    large.

    Example:
        >>> import torch
        >>> origin = {name: torch.zeros(1) for name in "txyz"}
        >>> [field.value for field in Beltrami().solution(origin).values()]
        [tensor([-1.]), tensor([-1.]), tensor([-1.]), tensor([-1.5000])]
    """

    inputs = ("t", "x", "y", "z")
    outputs = ("u", "v", "w", "p")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the start, the walls and the level of the pressure."""
        time, side = Interval(t=(0.0, 1.0)), (-1.0, 1.0)
        box = Box(t=(0.0, 1.0), x=side, y=side, z=side)
        origin = PointSet(x=[0.0], y=[0.0], z=[0.0])
        return {
            "interior": Constraint(box, self.flow),
            "start": Constraint(box.face("t", 0.0), self.given),
            "walls": Constraint(box.faces("x", "y", "z"), self.given),
            "level": Constraint(time * origin, lambda t, x, y, z, p: p + 1.5 * (-2 * t).exp()),
        }

    def flow(self, t: Field, x: Field, y: Field, z: Field, u: Field, v: Field, w: Field, p: Field) -> tuple[Field, ...]:
        """The balances of momentum and mass."""

        def carried(c: Field) -> Field:
            return c.d(t) + u * c.d(x) + v * c.d(y) + w * c.d(z) - laplacian(c, x, y, z)

        return carried(u) + p.d(x), carried(v) + p.d(y), carried(w) + p.d(z), u.d(x) + v.d(y) + w.d(z)

    def given(self, t: Field, x: Field, y: Field, z: Field, u: Field, v: Field, w: Field) -> tuple[Field, ...]:
        """The differences from the given velocity."""
        first, second, third, _ = self.exact(t, x, y, z)
        return u - first, v - second, w - third

    def exact(self, t: Field, x: Field, y: Field, z: Field) -> tuple[Field, ...]:
        """The velocity and the pressure."""
        left = (-t).exp()
        u = -left * (x.exp() * (y + z).sin() + z.exp() * (x + y).cos())
        v = -left * (y.exp() * (z + x).sin() + x.exp() * (y + z).cos())
        w = -left * (z.exp() * (x + y).sin() + y.exp() * (z + x).cos())
        return u, v, w, -(u * u + v * v + w * w) / 2
