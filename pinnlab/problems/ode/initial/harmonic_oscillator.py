"""The damped harmonic oscillator."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field


class HarmonicOscillator(Equation):
    """u'' + 2δ u' + ω² u = 0 on [0, 1], u(0) = 1, u'(0) = 0: a mass on a spring with friction.

    With less than critical friction, δ < ω, it swings with the frequency √(ω² − δ²), and its amplitude decays like
    e^{−δt}: u = e^{−δt} (cos wt + (δ/w) sin wt) with w = √(ω² − δ²). Time, 1/δ and 1/ω are in one unit, such as
    seconds. The values δ = 2, ω = 20 and t ≤ 1, three swings, are a usual first example of the field; more swings are
    harder, for a network learns slow changes first.

    Example:
        >>> import torch
        >>> HarmonicOscillator().solution({"t": torch.tensor([0.0, 1.0])})["u"].value
        tensor([1.0000, 0.0791])
    """

    inputs = ("t",)
    outputs = ("u",)

    def __init__(self, delta: float = 2.0, omega: float = 20.0, end: float = 1.0) -> None:
        """Sets δ, ω and the last time.

        Raises:
            UserError: if not 0 ≤ δ < ω, or the last time is not positive.
        """
        super().__init__()
        if not 0 <= delta < omega:
            raise UserError(f"delta must be at least 0 and less than omega, got {delta} and {omega}")
        if not end > 0:
            raise UserError(f"the last time must be positive, got {end}")
        self.delta, self.omega, self.end = delta, omega, end

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the start at rest."""
        line = Interval(t=(0.0, self.end))
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0.0), lambda t, u: (u - 1, u.d(t))),
        }

    def residual(self, t: Field, u: Field) -> Field:
        """The balance of forces u'' + 2δ u' + ω² u."""
        return u.d(t, t) + 2 * self.delta * u.d(t) + self.omega**2 * u

    def exact(self, t: Field) -> Field:
        """The decaying swing e^{−δt} (cos wt + (δ/w) sin wt)."""
        w = math.sqrt(self.omega**2 - self.delta**2)
        return (-self.delta * t).exp() * ((w * t).cos() + self.delta / w * (w * t).sin())
