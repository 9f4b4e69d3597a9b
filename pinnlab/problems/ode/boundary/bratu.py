"""Bratu's equation."""

from __future__ import annotations

import math

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field

FOLD = 3.513830719125162
"""The largest λ that has a solution: 8 (z² − 1) with z tanh z = 1, where its two branches meet."""


class Bratu(Equation):
    """u'' + λ e^u = 0 on [0, 1], u(0) = u(1) = 0: the temperature of a slab that burns, on the lower branch.

    For 0 < λ < 3.5138 there are two solutions, for larger λ none: the slab explodes. Both are u = 2 ln(cosh q /
    cosh((1 − 2x) q)) with a root q of q = √(λ/8) cosh q. The smaller q is the lower branch, which is stable and which a
    solve from nothing finds; near λ = 3.5138 the branches meet and the equation is singular (Bratu 1914; Gelfand 1963).

    Example:
        >>> import torch
        >>> Bratu().solution({"x": torch.tensor([0.5])})["u"].value
        tensor([0.1405])
    """

    inputs = ("x",)
    outputs = ("u",)

    def __init__(self, lam: float = 1.0) -> None:
        """Sets λ, the strength of the reaction.

        Raises:
            UserError: if λ is not between 0 and 3.5138.
        """
        super().__init__()
        if not 0 < lam < FOLD:
            raise UserError(f"lam must be between 0 and {FOLD:.4f}, beyond which there is no solution, got {lam}")
        self.lam = lam

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the ends."""
        line = Interval(x=(0.0, 1.0))
        return {
            "interior": Constraint(line, self.residual),
            "ends": Constraint(line.boundary, lambda x, u: u),
        }

    def residual(self, x: Field, u: Field) -> Field:
        """The balance of heat u'' + λ e^u."""
        return u.d(x, x) + self.lam * u.exp()

    def exact(self, x: Field) -> Field:
        """The lower branch 2 ln(cosh q / cosh((1 − 2x) q))."""
        q = _lower(self.lam)
        return 2 * math.log(math.cosh(q)) - 2 * ((1 - 2 * x) * q).cosh().log()


def _lower(lam: float) -> float:
    """The smaller root of q = √(λ/8) cosh q: Newton's method from 0 increases to it, for the difference is concave."""
    a, q = math.sqrt(lam / 8), 0.0
    for _ in range(100):
        step = (a * math.cosh(q) - q) / (1 - a * math.sinh(q))
        q += step
        if abs(step) < 1e-16:
            break
    return q
