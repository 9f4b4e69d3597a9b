"""The equations of DeepXDE's examples that the catalogue has with other numbers or not at all."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Box, Interval, PointSet, Polygon
from pinnlab.jets import Field
from pinnlab.jets.operators import laplacian
from pinnlab.problems import Kovasznay, LorenzParameters, LShape
from pinnlab.problems.inverse.lorenz_parameters import BETA, RHO, SIGMA

TIMES = (
    0.0, 0.01071738, 0.06430429, 0.1226244, 0.20389738, 0.2774039, 0.36605932, 0.46484636, 0.57747023, 0.74410941,
    0.87815709, 1.01220478, 1.15004686, 1.28280759, 1.42510765, 1.58172756, 1.75397377, 1.89764233, 2.04923335,
    2.18795955, 2.37650218, 2.53747737, 2.69922368, 2.86424061, 3.0,
)  # fmt: skip
"""When the example's file has measurements of Lorenz' system. Their values are computed here, from the same start."""


class HelmholtzSquare(Equation):
    """Δu + k² u + k² sin kx sin ky = 0 on the unit square, u = 0 on its boundary, k = 4π: u = sin kx sin ky."""

    inputs, outputs = ("x", "y"), ("u",)
    k = 4 * math.pi

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        square = Box(x=(0.0, 1.0), y=(0.0, 1.0))
        return {
            "interior": Constraint(square, self.residual),
            "boundary": Constraint(square.boundary, lambda x, y, u: u),
        }

    def residual(self, x: Field, y: Field, u: Field) -> Field:
        """The balance, in which the source is k² u of the solution."""
        return laplacian(u, x, y) + self.k**2 * (u + self.exact(x, y))

    def exact(self, x: Field, y: Field) -> Field:
        """The product of sines."""
        return (self.k * x).sin() * (self.k * y).sin()


class Elbow(LShape):
    """The L-shape without its first quadrant, in place of the fourth: −Δu = 1, u = 0 on the boundary."""

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        shape = Polygon([(0, 0), (0, 1), (-1, 1), (-1, -1), (1, -1), (1, 0)])
        return {
            "interior": Constraint(shape, self.residual),
            "boundary": Constraint(shape.boundary, lambda x, y, u: u),
        }

    def reference(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """That of the catalogue's L-shape, mirrored."""
        return super().reference(x, -y)


class OpenKovasznay(Kovasznay):
    """Kovasznay's flow with Re = 20, where the pressure is given on the side x = 1 in place of the origin."""

    def __init__(self) -> None:
        """Sets the Reynolds number."""
        super().__init__(20.0)

    def constraints(self) -> dict[str, Constraint]:
        """Those of the catalogue, with the pressure behind."""
        box = Box(x=(-0.5, 1.0), y=(-0.5, 1.5))
        return super().constraints() | {"level": Constraint(box.face("x", 1.0), self.pressure)}

    def pressure(self, x: Field, y: Field, p: Field) -> Field:
        """The difference from the given pressure."""
        return p - self.exact(x, y)[2]


class Rotation(Equation):
    """y' = z, z' = −y from (0, 1), t ≤ 10: (sin t, cos t)."""

    inputs, outputs = ("t",), ("y", "z")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, and the start."""
        line = Interval(t=(0.0, 10.0))
        return {
            "ode": Constraint(line, lambda t, y, z: (y.d(t) - z, z.d(t) + y)),
            "start": Constraint(line.face("t", 0.0), lambda t, y, z: (y, z - 1)),
        }

    def exact(self, t: Field) -> tuple[Field, ...]:
        """The sine and the cosine."""
        return t.sin(), t.cos()


class Diffusion(Equation):
    """u_t = u_xx + e^{−t} (π² − 1) sin πx on [−1, 1], t ≤ 1, u = 0 at the ends: u = e^{−t} sin πx."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        box = Box(t=(0.0, 1.0), x=(-1.0, 1.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), lambda t, x, u: u - self.exact(t, x)),
            "ends": Constraint(box.faces("x"), lambda t, x, u: u),
        }

    def residual(self, t: Field, x: Field, u: Field) -> Field:
        """The balance, in which the source is π² − 1 times the solution."""
        return u.d(t) - u.d(x, x) - (math.pi**2 - 1) * self.exact(t, x)

    def exact(self, t: Field, x: Field) -> Field:
        """The decaying mode."""
        return (-t).exp() * (math.pi * x).sin()


class Cantilever(Equation):
    """u'''' + 1 = 0 on [0, 1], u = u' = 0 at the clamped end and u'' = u''' = 0 at the free one."""

    inputs, outputs = ("x",), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the ends."""
        line = Interval(x=(0.0, 1.0))
        return {
            "beam": Constraint(line, lambda x, u: u.d(x, x, x, x) + 1),
            "clamped": Constraint(line.face("x", 0.0), lambda x, u: (u, u.d(x))),
            "free": Constraint(line.face("x", 1.0), lambda x, u: (u.d(x, x), u.d(x, x, x))),
        }

    def exact(self, x: Field) -> Field:
        """The deflection under a uniform load."""
        return -(x**4) / 24 + x**3 / 6 - x**2 / 4


class LorenzFromFew(LorenzParameters):
    """Lorenz' parameters from measurements at the example's 25 times; guesses begin at 1."""

    def __init__(self) -> None:
        """Sets the guesses."""
        super().__init__()
        self.sigma, self.rho, self.beta = (Unknown(1.0, truth=true) for true in (SIGMA, RHO, BETA))

    def constraints(self) -> dict[str, Constraint]:
        """Those of the catalogue, with other measurements."""
        t = np.array(TIMES)
        mx, my, mz = measured()
        return super().constraints() | {"data": Constraint(PointSet(t=t, mx=mx, my=my, mz=mz), self.misfit)}

    def misfit(self, x: Field, y: Field, z: Field, mx: Tensor, my: Tensor, mz: Tensor) -> tuple[Field, ...]:
        """The differences from the measurements."""
        return x - mx, y - my, z - mz


def measured() -> tuple[np.ndarray, ...]:
    """The measurements of x, y and z at `TIMES`."""
    return LorenzParameters().reference(np.array(TIMES))
