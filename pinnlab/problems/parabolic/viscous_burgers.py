"""The viscous Burgers equation that forms a steep front."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor, nn

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.periodic import periodic
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import Field


class ViscousBurgers(Equation):
    """u_t + u u_x = ν u_xx on [0, 1] × [−1, 1], u(0, x) = −sin πx, u(t, ±1) = 0; ν = 0.01/π by default.

    With `periodic` values and slopes at x = ±1 are equal, in place of the walls: the solution is the same.

    At t = 1 the front at x = 0 is about 2ν wide. The exact solution is an integral by the Cole-Hopf
    transformation (Basdevant et al. 1986), evaluated by Gauss-Hermite quadrature.

    The terms of the balance are proportional to the slope u_x, so that the residual is largest in the front. With
    `normalisation` c the residual is divided by √(1 + (c u_x)²), so that the front does not dominate the loss (in the
    manner of Liu, Liu, Xie & Zhang 2024). The solution is the same.

    Example:
        >>> import torch
        >>> points = {"t": torch.tensor([0.0, 1.0]), "x": torch.tensor([-0.5, -0.5])}
        >>> ViscousBurgers(viscosity=0.1).solution(points)["u"].value
        tensor([1.0000, 0.2919])
    """

    inputs = ("t", "x")
    outputs = ("u",)

    def __init__(self, viscosity: float = 0.01 / math.pi, normalisation: float = 0.0, periodic: bool = False) -> None:
        """Sets ν, the number c of the normalisation (0 is none), and whether the ends are periodic.

        Raises:
            UserError: if ν is not positive, or c negative.
        """
        super().__init__()
        if viscosity <= 0 or normalisation < 0:
            raise UserError(
                "the viscosity must be positive and the normalisation not negative, got "
                f"{viscosity} and {normalisation}"
            )
        self.viscosity = viscosity
        self.normalisation = normalisation
        self.periodic = periodic

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the initial values and the walls, or equal values and slopes there."""
        box = Box(t=(0.0, 1.0), x=(-1.0, 1.0))
        walls = Constraint(box.faces("x"), lambda t, x, u: u, points=100)
        return {
            "interior": Constraint(box, self.residual, points=2000),
            "initial": Constraint(box.face("t", 0.0), self.initial, points=100),
            **({"periodic": periodic(box, "x", "u")} if self.periodic else {"walls": walls}),
        }

    def residual(self, t: Field, x: Field, u: Field) -> Field:
        """The balance u_t + u u_x − ν u_xx, over √(1 + (c u_x)²)."""
        balance = u.d(t) + u * u.d(x) - self.viscosity * u.d(x, x)
        return balance / (1 + (self.normalisation * u.d(x)) ** 2).sqrt() if self.normalisation else balance

    def initial(self, t: Field, x: Field, u: Field) -> Field:
        """The difference u + sin πx from the initial values."""
        return u + (math.pi * x).sin()

    def exact(self, t: Field, x: Field) -> Field:
        """The Cole-Hopf integral.

        u = −∫ sin π(x − y) w(y) dy / ∫ w(y) dy with w(y) = exp(−cos π(x − y) / 2πν − y²/4νt); with y = z√(4νt)
        both integrals have the weight exp(−z²). Points at t = 0 give the initial values.
        """
        nodes, weights = np.polynomial.hermite.hermgauss(200)
        factor = 1 / (2 * math.pi * self.viscosity)
        width = (4 * self.viscosity * (t + _TINY)).sqrt()
        numerator: Any = 0.0
        denominator: Any = 0.0
        for node, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
            angle = math.pi * (x - node * width)
            # exp(factor·(1 − cos)) is scaled by its largest value, so that nothing overflows
            kernel = weight * (-factor * (angle.cos() + 1)).exp()
            numerator = numerator + angle.sin() * kernel
            denominator = denominator + kernel
        return -numerator / denominator


# Keeps √t differentiable at the initial line; far below the rounding errors of t.
_TINY = 1e-30


class BurgersAnsatz(nn.Module):
    """−sin πx + t (1 − x²) N(t, x): a network with the initial values and the walls of `ViscousBurgers` built in.

    Example:
        >>> from pinnlab.networks import MLP
        >>> import torch
        >>> BurgersAnsatz(2, 1, MLP)(torch.tensor([[0.0, -0.5]])).item()
        1.0
    """

    def __init__(self, inputs: int, outputs: int, network: Callable[[int, int], nn.Module]) -> None:
        """Builds the inner network."""
        super().__init__()
        self.network = network(inputs, outputs)

    def forward(self, points: Tensor) -> Tensor:
        """Evaluates at `(N, 2)`."""
        t, x = points[..., :1], points[..., 1:]
        return t * (1 - x * x) * self.network(points) - (math.pi * x).sin()
