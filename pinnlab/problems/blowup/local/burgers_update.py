"""Burgers' blow-up profiles in the form of an iteration."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field, Jet, implicit


class BurgersUpdate(Equation):
    """W' = γW/((1 + γ)X + W) on [−2, 2], W(∓2) = ±1, with γ unknown.

    The smooth profiles u = (1 − t)^γ W(x/(1 − t)^{1+γ}) of u_t + u u_x = 0, as for `SelfSimilarBurgers`, with the
    equation solved for the slope. Its right-hand side is 0/0 at the origin, where W = −X + …. For the odd W = −X V(X²)
    it is V + 2s V' = γV/(1 + γ − V), which is regular there, and affine in γ after a multiplication by the denominator;
    that also removes the pole at V = 1 + γ, behind which no training finds its way back. The solutions are 1 − V =
    s^{1/(2γ)} V^{1+1/γ}, as X = −W − W|W|^{1/γ}, and smooth for γ = 1/(2k) alone. What tells a smooth solution from its
    neighbours is the k-th derivative at s = 0: with V = 1 + v s^k + … that of the residual is k! (2kγ − 1) v. An
    interval for γ between 1/(2k + 1) and 1/(2k − 1) chooses profile k.

    Example:
        >>> equation = BurgersUpdate(profile=2)
        >>> equation.gamma.truth, equation.solution({"s": torch.tensor([0.0, 4.0])})["V"].value
        (0.25, tensor([1.0000, 0.5000]))
    """

    inputs = ("s",)
    outputs = ("V",)

    def __init__(self, profile: int = 1) -> None:
        """Chooses a profile.

        Args:
            profile: k = 1, 2, …: the true exponent is 1/(2k).

        Raises:
            UserError: if it is not positive.
        """
        super().__init__()
        if profile < 1:
            raise UserError(f"profile must be 1, 2, 3, …, got {profile}")
        self.profile = profile
        interval = (1 / (2 * profile + 1), 1 / (2 * profile - 1))
        self.gamma = Unknown(None, interval, truth=1 / (2 * profile), linear=True)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, its Taylor coefficients near the origin, and the end."""
        line = Interval(s=(0.0, 4.0))
        smooth = [1 / math.factorial(j) ** 2 for j in range(self.profile + 1)]
        return {
            "profile": Constraint(line, self.residual),
            "origin": Constraint(Interval(s=(0.0, 0.1)), self.residual, points=15, sobolev=smooth),
            "end": Constraint(line.face("s", 4.0), lambda s, V: V - 0.5),
        }

    def residual(self, s: Field, V: Field, gamma: Tensor) -> Field:
        """The equation for V, multiplied by the denominator of the update."""
        slope = 2 * s * V.d(s)
        return (1 - V) * (V + slope) + gamma * slope

    def exact(self, s: Jet) -> Field:
        """V from V + s^k V^{2k+1} = 1, by Newton's method from above, where the function is convex."""
        k = self.profile
        start = torch.clamp(s.value, min=1.0) ** (-k / (2 * k + 1))
        return implicit(lambda s, V: V + s**k * V ** (2 * k + 1) - 1, s, start)
