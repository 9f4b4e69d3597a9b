"""The equation of Fokker and Planck."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Field


class FokkerPlanck(Equation):
    """p_t = (θ x p)_x + D p_xx on [−4, 4], t ≤ 1: the density of an Ornstein-Uhlenbeck process, a Gaussian.

    x is the velocity of a particle that friction slows down and collisions kick, dx = −θx dt + √(2D) dW (Uhlenbeck &
    Ornstein 1930). From a density of mean 1 and variance 1/4 it stays a Gaussian, of

        mean e^{−θt}, variance e^{−2θt}/4 + (1 − e^{−2θt}) D/θ

    (Risken 1989, chapter 5). Start and ends are given by it.

    Example:
        >>> import torch
        >>> FokkerPlanck().solution({"t": torch.tensor([0.0]), "x": torch.tensor([1.0])})["p"].value
        tensor([0.7979])
    """

    inputs = ("t", "x")
    outputs = ("p",)

    def __init__(self, theta: float = 1.0, diffusion: float = 0.5) -> None:
        """Sets the friction θ and the diffusion D.

        Raises:
            UserError: if one of them is not positive.
        """
        super().__init__()
        if theta <= 0 or diffusion <= 0:
            raise UserError(f"friction and diffusion must be positive, got {theta} and {diffusion}")
        self.theta, self.diffusion = theta, diffusion

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the start and the ends."""
        box = Box(t=(0.0, 1.0), x=(-4.0, 4.0))
        return {
            "interior": Constraint(box, self.residual),
            "start": Constraint(box.face("t", 0.0), self.start),
            "ends": Constraint(box.faces("x"), lambda t, x, p: p - self.exact(t, x)),
        }

    def residual(self, t: Field, x: Field, p: Field) -> Field:
        """The change less drift and diffusion."""
        return p.d(t) - self.theta * (p + x * p.d(x)) - self.diffusion * p.d(x, x)

    def start(self, t: Field, x: Field, p: Field) -> Field:
        """The difference from the density at the start."""
        return p - math.sqrt(2 / math.pi) * (-2 * (x - 1) ** 2).exp()

    def exact(self, t: Field, x: Field) -> Field:
        """The Gaussian."""
        faded = (-2 * self.theta * t).exp()
        variance = faded / 4 + (1 - faded) * self.diffusion / self.theta
        return (-((x - (-self.theta * t).exp()) ** 2) / (2 * variance)).exp() / (2 * math.pi * variance).sqrt()
