"""A string over an obstacle."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field

SMOOTHING = 1e-8
"""What is added to the sum of squares under the root of the complementarity function, as a square."""


class Obstacle(Equation):
    """−u'' ≥ 0, u ≥ h − x² and one of them equal on [−1, 1], u(±1) = 0: a string over an obstacle, h = ½.

    A variational inequality (Kinderlehrer & Stampacchia 1980): the string lies on the obstacle for |x| ≤ c, with
    c = 1 − √(1 − h), and is straight elsewhere. c is not given. There the slope is continuous and u'' jumps from −2 to
    0, so that a smooth function comes near u slowly. With a = −u'' and b = 100 (u − h + x²) the three statements are
    one equation, a + b − √(a² + b²) = 0 (Fischer 1992). 1e-16 is added to the squares, for the root has no slope at 0.
    The factor 100 is free: least squares with 1 instead end where u is far below the obstacle.

    Example:
        >>> import torch
        >>> Obstacle().solution({"x": torch.tensor([-0.5, 0.0, 0.5])})["u"].value
        tensor([0.2929, 0.5000, 0.2929])
    """

    inputs = ("x",)
    outputs = ("u",)

    def __init__(self, height: float = 0.5) -> None:
        """Sets the height h of the obstacle.

        Raises:
            UserError: if it is not between 0 and 1, where the string would not touch it, or would at its ends.
        """
        super().__init__()
        if not 0 < height < 1:
            raise UserError(f"the height must be between 0 and 1, got {height}")
        self.height = height

    def constraints(self) -> dict[str, Constraint]:
        """The complementarity, and the ends."""
        line = Interval(x=(-1.0, 1.0))
        return {
            "interior": Constraint(line, self.residual),
            "ends": Constraint(line.boundary, lambda x, u: u),
        }

    def residual(self, x: Field, u: Field) -> Field:
        """Fischer and Burmeister's function of the load −u'' and a hundred times the gap u − h + x²."""
        load, gap = -u.d(x, x), 100 * (u - self.height + x * x)
        return load + gap - (load * load + gap * gap + SMOOTHING**2).sqrt()

    def exact(self, x: Field) -> Field:
        """The obstacle up to |x| = c, and its tangents from there."""
        contact = 1 - math.sqrt(1 - self.height)
        distance = x.abs()
        beyond = (distance - contact).clamp(min=0.0)
        return self.height - (distance - beyond) ** 2 - 2 * contact * beyond
