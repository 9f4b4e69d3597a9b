"""Linear problems with a time."""

from __future__ import annotations

import math

import torch

from pinnlab.equations import Constraint, Equation, periodic
from pinnlab.geometry import Box


class Beam(Equation):
    """u_tt + u_xxxx = 0 on [0, 1], simply supported (u = u_xx = 0), from sin πx at rest, t ≤ 1: u = sin πx cos π²t."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the supports."""
        box = Box(t=(0, 1), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t, t) + u.d(x, x, x, x)),
            "start": Constraint(box.face("t", 0), lambda t, x, u: (u - torch.sin(math.pi * x), u.d(t))),
            "supports": Constraint(box.faces("x"), lambda x, u: (u, u.d(x, x))),
        }

    def exact(self, t, x):
        """The standing wave sin πx cos π²t."""
        return torch.sin(math.pi * x) * torch.cos(math.pi**2 * t)


class Wave(Equation):
    """u_tt = 4 u_xx on [0, 1], u = 0 at the ends, from sin πx + ½ sin 4πx at rest, t ≤ 1.

    u = sin πx cos 2πt + ½ sin 4πx cos 8πt.
    """

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        box = Box(t=(0, 1), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t, t) - 4 * u.d(x, x)),
            "start": Constraint(box.face("t", 0), self.start),
            "ends": Constraint(box.faces("x"), lambda u: u),
        }

    def start(self, t, x, u):
        """The differences of value and velocity."""
        return u - torch.sin(math.pi * x) - torch.sin(4 * math.pi * x) / 2, u.d(t)

    def exact(self, t, x):
        """The two standing waves."""
        first = torch.sin(math.pi * x) * torch.cos(2 * math.pi * t)
        return first + torch.sin(4 * math.pi * x) * torch.cos(8 * math.pi * t) / 2


class Heat(Equation):
    """u_t = u_xx on [0, 1], u = 0 at the ends, from sin πx + ½ sin 3πx, t ≤ 0.5."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        box = Box(t=(0, 0.5), x=(0, 1))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) - u.d(x, x)),
            "start": Constraint(
                box.face("t", 0), lambda x, u: u - torch.sin(math.pi * x) - torch.sin(3 * math.pi * x) / 2
            ),
            "ends": Constraint(box.faces("x"), lambda u: u),
        }

    def exact(self, t, x):
        """Each mode decays by itself."""
        slow = torch.exp(-(math.pi**2) * t) * torch.sin(math.pi * x)
        return slow + torch.exp(-9 * math.pi**2 * t) * torch.sin(3 * math.pi * x) / 2


class SteelRod(Equation):
    """T_t = a T_xx in a steel rod, in SI units: x in metres, t in seconds, T in kelvin.

    The rod is L = 0.1 m long, a = 1.2e-5 m²/s, t ≤ 600 s. Its ends are held at 300 K (x = 0) and 900 K (x = L). At
    the start the temperature rises in the shape of an S, T = 300 + 600 (s − sin(2πs) / 2π) with s = x/L, which fits the
    ends. The solution is T = 300 + 600 (s − e^{−4π²at/L²} sin(2πs) / 2π): its Fourier series has the one term.
    """

    inputs, outputs = ("t", "x"), ("T",)
    length, diffusivity = 0.1, 1.2e-5

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        rod = Box(t=(0, 600), x=(0, self.length))
        return {
            "interior": Constraint(rod, lambda t, x, T: T.d(t) - self.diffusivity * T.d(x, x)),
            "start": Constraint(rod.face("t", 0), self.start),
            "cold_end": Constraint(rod.face("x", 0), lambda T: T - 300),
            "hot_end": Constraint(rod.face("x", self.length), lambda T: T - 900),
        }

    def start(self, x, T):
        """The difference from the temperature at the start."""
        s = x / self.length
        return T - 300 - 600 * (s - torch.sin(2 * math.pi * s) / (2 * math.pi))

    def exact(self, t, x):
        """The straight line and the term of the series."""
        s, rate = x / self.length, 4 * math.pi**2 * self.diffusivity / self.length**2
        return 300 + 600 * (s - torch.exp(-rate * t) * torch.sin(2 * math.pi * s) / (2 * math.pi))


class Advection(Equation):
    """u_t + 80 u_x = 0 on [0, 2π], periodic, from sin x, t ≤ 1: u = sin(x − 80t)."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and equal values at both ends."""
        box = Box(t=(0, 1), x=(0, 2 * math.pi))
        return {
            "interior": Constraint(box, lambda t, x, u: u.d(t) + 80 * u.d(x)),
            "start": Constraint(box.face("t", 0), lambda x, u: u - torch.sin(x)),
            "periodic": periodic(box, "x", "u", order=0),
        }

    def exact(self, t, x):
        """The start, moved."""
        return torch.sin(x - 80 * t)
