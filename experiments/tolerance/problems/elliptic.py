"""Linear boundary value problems."""

from __future__ import annotations

import math

import torch

from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Box, Disc, Polygon
from pinnlab.jets.operators import biharmonic, laplacian


class Helmholtz(Equation):
    """u_xx + u_yy + u = q on [−1, 1]², u = 0 on the boundary, with q such that u = sin πx sin 4πy."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        square = Box(x=(-1, 1), y=(-1, 1))
        return {
            "interior": Constraint(square, self.residual),
            "boundary": Constraint(square.boundary, lambda u: u),
        }

    def residual(self, x, y, u):
        """Δu + u − q."""
        q = (1 - 17 * math.pi**2) * torch.sin(math.pi * x) * torch.sin(4 * math.pi * y)
        return laplacian(u, x, y) + u - q

    def exact(self, x, y):
        """The product sin πx sin 4πy."""
        return torch.sin(math.pi * x) * torch.sin(4 * math.pi * y)


class SinePoisson(Equation):
    """−Δu = 5π² sin πx sin 2πy on the unit square, u = 0 on the boundary: u = sin πx sin 2πy."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        square = Box(x=(0, 1), y=(0, 1))
        return {
            "interior": Constraint(square, self.residual),
            "boundary": Constraint(square.boundary, lambda u: u),
        }

    def residual(self, x, y, u):
        """Δu + f."""
        return laplacian(u, x, y) + 5 * math.pi**2 * torch.sin(math.pi * x) * torch.sin(2 * math.pi * y)

    def exact(self, x, y):
        """The product sin πx sin 2πy."""
        return torch.sin(math.pi * x) * torch.sin(2 * math.pi * y)


class Plate(Equation):
    """Δ²u = 4π⁴ sin πx sin πy on the unit square, simply supported (u = ∂²u/∂n² = 0): u = sin πx sin πy."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the supports."""
        square = Box(x=(0, 1), y=(0, 1))
        return {
            "interior": Constraint(square, self.residual),
            "sides": Constraint(square.faces("x"), lambda x, u: (u, u.d(x, x))),
            "ends": Constraint(square.faces("y"), lambda y, u: (u, u.d(y, y))),
        }

    def residual(self, x, y, u):
        """Δ²u less the load."""
        return biharmonic(u, x, y) - 4 * math.pi**4 * torch.sin(math.pi * x) * torch.sin(math.pi * y)

    def exact(self, x, y):
        """The product sin πx sin πy."""
        return torch.sin(math.pi * x) * torch.sin(math.pi * y)


class Robin(Equation):
    """Δu = 0 on the unit disc, ∂u/∂n + u = g on its rim, with g such that u = e^x cos y."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the rim."""
        disc = Disc((0, 0), 1.0)
        return {
            "interior": Constraint(disc, lambda x, y, u: laplacian(u, x, y)),
            "rim": Constraint(disc.boundary, self.rim),
        }

    def rim(self, x, y, u, normal_x, normal_y):
        """∂u/∂n + u − g."""
        g = torch.exp(x) * (normal_x * torch.cos(y) - normal_y * torch.sin(y) + torch.cos(y))
        return normal_x * u.d(x) + normal_y * u.d(y) + u - g

    def exact(self, x, y):
        """The harmonic function e^x cos y."""
        return torch.exp(x) * torch.cos(y)


class Holes(Equation):
    """Δu = 0 on [−½, ½]² without the discs of radius 0.1 at (±0.3, ±0.3), u = 1 outside, u = 0 on the discs.

    This is P2d-C of PINNacle.
    """

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the outer boundary and the discs."""
        square = Box(x=(-0.5, 0.5), y=(-0.5, 0.5))
        discs = Disc((0.3, 0.3), 0.1) | Disc((-0.3, 0.3), 0.1) | Disc((-0.3, -0.3), 0.1) | Disc((0.3, -0.3), 0.1)
        return {
            "interior": Constraint(square - discs, lambda x, y, u: laplacian(u, x, y)),
            "outer": Constraint(square.boundary, lambda u: u - 1),
            "discs": Constraint(discs.boundary, lambda u: u),
        }


class Poisson5(Equation):
    """Δu = −(π²/4) Σ sin(πx_i/2) on [0, 1]⁵, u = Σ sin(πx_i/2) on the boundary and inside: PNd of PINNacle."""

    inputs, outputs = ("x1", "x2", "x3", "x4", "x5"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        cube = Box(**dict.fromkeys(self.inputs, (0, 1)))
        return {
            "interior": Constraint(cube, self.residual),
            "boundary": Constraint(cube.boundary, lambda x1, x2, x3, x4, x5, u: u - self.exact(x1, x2, x3, x4, x5)),
        }

    def residual(self, x1, x2, x3, x4, x5, u):
        """Δu + (π²/4) Σ sin(πx_i/2)."""
        return laplacian(u, x1, x2, x3, x4, x5) + math.pi**2 / 4 * self.exact(x1, x2, x3, x4, x5)

    def exact(self, x1, x2, x3, x4, x5):
        """The sum of sin(πx_i/2)."""
        return sum(torch.sin(math.pi / 2 * x) for x in (x1, x2, x3, x4, x5))


class Poisson10(Equation):
    """Δu = 0 on [0, 1]¹⁰, u = x1 x2 + x3 x4 + x5 x6 + x7 x8 + x9 x10 on the boundary and inside."""

    inputs, outputs = ("x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        cube = Box(**dict.fromkeys(self.inputs, (0, 1)))
        return {
            "interior": Constraint(cube, self.residual),
            "boundary": Constraint(cube.boundary, self.boundary),
        }

    def residual(self, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, u):
        """Δu."""
        return laplacian(u, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10)

    def boundary(self, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, u):
        """The difference from the given values."""
        return u - (x1 * x2 + x3 * x4 + x5 * x6 + x7 * x8 + x9 * x10)

    def exact(self, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10):
        """The sum of products."""
        return x1 * x2 + x3 * x4 + x5 * x6 + x7 * x8 + x9 * x10


class LShape(Equation):
    """−Δu = 1 on [−1, 1]² without its fourth quadrant, u = 0 on the boundary.

    At the inner corner u behaves as r^{2/3}, so that its gradient is unbounded there.
    """

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the boundary."""
        shape = Polygon([(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)])
        return {
            "interior": Constraint(shape, lambda x, y, u: laplacian(u, x, y) + 1),
            "boundary": Constraint(shape.boundary, lambda u: u),
        }
