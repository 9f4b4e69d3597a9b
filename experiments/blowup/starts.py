"""Where solves of a profile with a small core begin: at a march from the centre with the middle of the interval.

From nothing, the first steps of a solve towards an F with a high and narrow peak go astray. The march is that of any
initial value problem: it knows the equation and the interval for the value at the centre, and nothing of the profile.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

import pinnlab
from pinnlab import Solution
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import PointSet

Right = Callable[[float, float, float], float]
"""g of u'' + (n − 1) u'/r = g(r, u, u')."""


class Given(Equation):
    """F = given values at points of [0, 1]."""

    inputs, outputs = ("z",), ("F",)

    def __init__(self, z: np.ndarray, values: np.ndarray) -> None:
        """Takes the points and the values there."""
        super().__init__()
        self.points = PointSet(z=z, given=values)

    def constraints(self) -> dict[str, Constraint]:
        """The values."""
        return {"shape": Constraint(self.points, lambda F, given: F - given)}


def march(right: Right, dimension: int, centre: float, power: float, length: float, end: float) -> Solution:
    """The function F of the march, up to a radius and constant beyond.

    Args:
        right: g.
        dimension: n.
        centre: u(0).
        power: p, of u ~ r^{−p}.
        length: ℓ of z = 1/(1 + r²/ℓ²), with u = z^{p/2} F.
        end: Where the march ends.
    """
    curvature = right(0.0, centre, 0.0) / dimension
    first = 1e-3 * abs(centre / curvature) ** 0.5
    z = (1 - np.cos(np.linspace(0, np.pi, 401))) / 2
    r = length * np.sqrt((1 - z[1:]) / z[1:])

    def system(r: float, y: np.ndarray) -> list[float]:
        return [y[1], right(r, y[0], y[1]) - (dimension - 1) / r * y[1]]

    begin = [centre + curvature * first**2 / 2, curvature * first]
    found = solve_ivp(system, (first, end), begin, "DOP853", rtol=1e-9, atol=1e-9 * centre, dense_output=True)
    u = found.sol(np.clip(r, first, end))[0] * np.where(r > end, (end / r) ** power, 1.0)
    values = u * z[1:] ** (-power / 2)
    return pinnlab.solve(Given(z, np.concatenate([values[:1], values])), tol=1e-3)
