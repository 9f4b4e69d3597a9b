"""Heat conduction in units of measurement."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class SteelRod(Equation):
    """T_t = a T_xx in a steel rod, in SI units: x in metres, t in seconds, T in kelvin.

    The rod is L = 0.1 m long, a = 1.2e-5 m²/s, t ≤ 600 s. Its ends are held at 300 K (x = 0) and 900 K (x = L). At the
    start the temperature rises in the shape of an S, T = 300 + 600 (s − sin(2πs) / 2π) with s = x/L, which fits the
    ends. The solution is T = 300 + 600 (s − e^{−4π²at/L²} sin(2πs) / 2π): its Fourier series has one term.

    Example:
        >>> import torch
        >>> SteelRod().solution({"t": torch.tensor([600.0]), "x": torch.tensor([0.025])})["T"].value
        tensor([450.])
    """

    inputs = ("t", "x")
    outputs = ("T",)

    def __init__(self, length: float = 0.1, diffusivity: float = 1.2e-5, end: float = 600.0) -> None:
        """Sets L in metres, a in m²/s, and the last time in seconds."""
        super().__init__()
        self.length, self.diffusivity, self.end = length, diffusivity, end

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        rod = Box(t=(0.0, self.end), x=(0.0, self.length))
        return {
            "interior": Constraint(rod, lambda t, x, T: T.d(t) - self.diffusivity * T.d(x, x)),
            "start": Constraint(rod.face("t", 0.0), lambda t, x, T: T - self.exact(t, x)),
            "cold_end": Constraint(rod.face("x", 0.0), lambda t, x, T: T - 300),
            "hot_end": Constraint(rod.face("x", self.length), lambda t, x, T: T - 900),
        }

    def exact(self, t: Field, x: Field) -> Field:
        """The straight line and the term of the series."""
        s, rate = x / self.length, 4 * math.pi**2 * self.diffusivity / self.length**2
        return 300 + 600 * (s - (-rate * t).exp() * (2 * math.pi * s).sin() / (2 * math.pi))
