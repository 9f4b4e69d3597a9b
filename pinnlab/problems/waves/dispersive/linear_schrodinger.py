"""Schrödinger's equation of the harmonic oscillator."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.geometry import Box
from pinnlab.jets import Field


class LinearSchrodinger(Equation):
    """i ψ_t = −½ ψ_xx + ½ x² ψ, ψ = u + iv, on [−8, 8] from π^{−1/4} e^{−(x − 1)²/2}, t ≤ π.

    A particle in the potential of a spring, in units of its mass, its frequency and ℏ. The packet swings to x = −1 as
    the particle of classical mechanics would, and keeps its shape, the coherent state

        ψ = π^{−1/4} exp(−½(x − cos t)² − i (½t + x sin t − ¼ sin 2t))

    (Schrödinger 1926). At the ends, where ψ = 0 is asked for, it is 2e-11.

    Example:
        >>> import torch
        >>> psi = LinearSchrodinger().solution({"t": torch.tensor([torch.pi]), "x": torch.tensor([-1.0])})
        >>> round(float(psi["u"].value ** 2 + psi["v"].value ** 2) * torch.pi**0.5, 4)
        1.0
    """

    inputs = ("t", "x")
    outputs = ("u", "v")

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        box = Box(t=(0.0, math.pi), x=(-8.0, 8.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), self.start),
            "ends": Constraint(box.faces("x"), lambda t, x, u, v: (u, v)),
        }

    def residual(self, t: Field, x: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """Real and imaginary part."""
        potential = x * x / 2
        return -v.d(t) + u.d(x, x) / 2 - potential * u, u.d(t) + v.d(x, x) / 2 - potential * v

    def start(self, t: Field, x: Field, u: Field, v: Field) -> tuple[Field, ...]:
        """The differences from the packet at rest at x = 1."""
        return u - math.pi**-0.25 * (-((x - 1) ** 2) / 2).exp(), v

    def exact(self, t: Field, x: Field) -> tuple[Field, ...]:
        """Real and imaginary part of the coherent state."""
        size = math.pi**-0.25 * (-((x - t.cos()) ** 2) / 2).exp()
        angle = t / 2 + x * t.sin() - (2 * t).sin() / 4
        return size * angle.cos(), -size * angle.sin()
