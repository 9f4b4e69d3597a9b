"""Nonlinear partial differential equations."""

from __future__ import annotations

import math

import torch

from pinnlab.equations import Constraint, Equation, periodic
from pinnlab.geometry import Box, PointSet
from pinnlab.jets.operators import laplacian
from pinnlab.problems import ViscousBurgers

LAMBDA = 20 - math.sqrt(400 + 4 * math.pi**2)
"""The decay rate Re/2 − √(Re²/4 + 4π²) of Kovasznay's flow at Re = 40."""


class PeriodicBurgers(Equation):
    """u_t + u u_x = 0.01 u_xx on [−1, 1], periodic, from −sin πx, t ≤ 1."""

    inputs, outputs = ("t", "x"), ("u",)
    viscosity = 0.01

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, and equal values and slopes at both ends."""
        box = Box(t=(0, 1), x=(-1, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) + u * u.d(x) - self.viscosity * u.d(x, x)),
            "start": Constraint(box.face("t", 0), lambda x, u: u + torch.sin(math.pi * x)),
            "periodic": periodic(box, "x", "u"),
        }

    def exact(self, t, x):
        """The Cole-Hopf integral by 200-point Gauss-Hermite quadrature."""
        return ViscousBurgers(self.viscosity).exact(t, x)


class BurgersShock(Equation):
    """u_t + u u_x = 1e-5 u_xx on [−1, 1], u = 0 at the walls, from −sin πx, t ≤ 1.

    From t = 1/π on there is a front at x = 0 of a width of about 2e-5.
    """

    inputs, outputs = ("t", "x"), ("u",)
    viscosity = 1e-5

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the walls."""
        box = Box(t=(0, 1), x=(-1, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) + u * u.d(x) - self.viscosity * u.d(x, x)),
            "start": Constraint(box.face("t", 0), lambda x, u: u + torch.sin(math.pi * x)),
            "walls": Constraint(box.faces("x"), lambda u: u),
        }


class Burgers(BurgersShock):
    """u_t + u u_x = (0.01/π) u_xx on [−1, 1], u = 0 at the walls, from −sin πx, t ≤ 1."""

    viscosity = 0.01 / math.pi

    def exact(self, t, x):
        """The Cole-Hopf integral by 200-point Gauss-Hermite quadrature."""
        return ViscousBurgers(self.viscosity).exact(t, x)


class AllenCahn(Equation):
    """u_t = 1e-4 u_xx + 5 (u − u³) on [−1, 1], periodic, from x² cos πx, t ≤ 1.

    The periodic continuation of the start has a corner at x = ±1.
    """

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, and equal values and slopes at both ends."""
        box = Box(t=(0, 1), x=(-1, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - 1e-4 * u.d(x, x) - 5 * (u - u**3)),
            "start": Constraint(box.face("t", 0), lambda x, u: u - x * x * torch.cos(math.pi * x)),
            "periodic": periodic(box, "x", "u"),
        }


class KdV(Equation):
    """u_t + u u_x + 0.022² u_xxx = 0 on [−1, 1], periodic, from cos πx, t ≤ 1 (Zabusky & Kruskal 1965)."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start, and equal values and two derivatives at both ends."""
        box = Box(t=(0, 1), x=(-1, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) + u * u.d(x) + 0.022**2 * u.d(x, x, x)),
            "start": Constraint(box.face("t", 0), lambda x, u: u - torch.cos(math.pi * x)),
            "periodic": periodic(box, "x", "u", order=2),
        }


class Kovasznay(Equation):
    """Kovasznay's flow behind a grid: steady Navier-Stokes at Re = 40 on [−½, 1] × [−½, 3/2].

    u u_x + v u_y + p_x = Δu/Re, u v_x + v v_y + p_y = Δv/Re, u_x + v_y = 0; u and v are given on the boundary, and
    p = 0 at the origin. With λ = Re/2 − √(Re²/4 + 4π²) the solution is u = 1 − e^{λx} cos 2πy,
    v = (λ/2π) e^{λx} sin 2πy, p = (1 − e^{2λx})/2.
    """

    inputs, outputs = ("x", "y"), ("u", "v", "p")

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the boundary and the level of the pressure."""
        box = Box(x=(-0.5, 1), y=(-0.5, 1.5))
        return {
            "interior": Constraint(box, self.flow),
            "boundary": Constraint(box.boundary, self.boundary),
            "level": Constraint(PointSet(x=[0.0], y=[0.0]), lambda p: p),
        }

    def flow(self, x, y, u, v, p):
        """The balances of momentum and mass."""
        return (
            u * u.d(x) + v * u.d(y) + p.d(x) - laplacian(u, x, y) / 40,
            u * v.d(x) + v * v.d(y) + p.d(y) - laplacian(v, x, y) / 40,
            u.d(x) + v.d(y),
        )

    def boundary(self, x, y, u, v):
        """The differences from the given velocity."""
        e, angle = torch.exp(LAMBDA * x), 2 * math.pi * y
        return u - 1 + e * torch.cos(angle), v - LAMBDA / (2 * math.pi) * e * torch.sin(angle)

    def exact(self, x, y):
        """The velocity and the pressure."""
        e, angle = torch.exp(LAMBDA * x), 2 * math.pi * y
        return 1 - e * torch.cos(angle), LAMBDA / (2 * math.pi) * e * torch.sin(angle), (1 - e * e) / 2


class Cavity(Equation):
    """Steady Navier-Stokes in the unit square under a lid of velocity 4x(1 − x), p(0, 0) = 0.

    u u_x + v u_y + p_x = Δu/Re, u v_x + v v_y + p_y = Δv/Re, u_x + v_y = 0. At the upper corners p has a logarithm.

    Args:
        Re: The Reynolds number.
    """

    inputs, outputs = ("x", "y"), ("u", "v", "p")

    def __init__(self, Re: float = 100.0) -> None:
        super().__init__()
        self.Re = Re

    def constraints(self) -> dict[str, Constraint]:
        """The equations, the lid, the walls and the level of the pressure."""
        square = Box(x=(0, 1), y=(0, 1))
        return {
            "interior": Constraint(square, self.flow),
            "lid": Constraint(square.face("y", 1), lambda x, u, v: (u - 4 * x * (1 - x), v)),
            "sides": Constraint(square.faces("x"), lambda u, v: (u, v)),
            "bottom": Constraint(square.face("y", 0), lambda u, v: (u, v)),
            "level": Constraint(PointSet(x=[0.0], y=[0.0]), lambda p: p),
        }

    def flow(self, x, y, u, v, p):
        """The balances of momentum and mass."""
        return (
            u * u.d(x) + v * u.d(y) + p.d(x) - laplacian(u, x, y) / self.Re,
            u * v.d(x) + v * v.d(y) + p.d(y) - laplacian(v, x, y) / self.Re,
            u.d(x) + v.d(y),
        )
