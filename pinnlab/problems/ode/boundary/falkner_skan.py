"""Boundary layers on wedges."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.references.boundary_value import join
from pinnlab.references.initial_value import Piecewise, uniform


class FalknerSkan(Equation):
    """f''' + f f'' + β (1 − f'²) = 0 on [0, L], f(0) = f'(0) = 0, f'(L) = 1, with the wall shear f''(0) unknown.

    The similarity solution of the laminar boundary layer on a wedge of the angle βπ, in a stream whose speed along the
    wall is a power of the distance. β = 0 is a plate (Blasius' layer in other units), β = 1 a stream against a wall
    (Hiemenz). The condition f' → 1 at infinity is put at a finite L, where the layer has decayed like exp(−L²/2). For
    β = ½ the shear is 0.92768 (Falkner & Skan 1931; Hartree 1937). For negative β, a stream that slows down, there are
    two solutions, and they are left out.

    Example:
        >>> round(FalknerSkan(beta=1.0).shear.truth, 10)
        1.2325876568
    """

    inputs = ("eta",)
    outputs = ("f",)

    def __init__(self, beta: float = 0.5, length: float = 8.0) -> None:
        """Sets β and L.

        Raises:
            UserError: if β is not between 0 and 2, or L is less than 8.
        """
        super().__init__()
        if not 0 <= beta <= 2:
            raise UserError(f"beta must be between 0 and 2, got {beta}")
        if not length >= 8:
            raise UserError(f"the length must be 8 or more, so that the layer decays before it, got {length}")
        self.beta, self.length = beta, length
        self.shear = Unknown(0.5, truth=float(_layer(beta, length)(np.zeros(1))[2, 0]), linear=True)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the wall, its shear, and the free stream."""
        line = Interval(eta=(0.0, self.length))
        wall = line.face("eta", 0.0)
        return {
            "interior": Constraint(line, self.residual),
            "wall": Constraint(wall, lambda eta, f: (f, f.d(eta))),
            "shear": Constraint(wall, self.wall_shear),
            # f'' = 0 excludes an f that is negative up to a thin layer at L, as for Blasius
            "stream": Constraint(line.face("eta", self.length), lambda eta, f: (f.d(eta) - 1, f.d(eta, eta))),
        }

    def residual(self, eta: Field, f: Field) -> Field:
        """The momentum balance f''' + f f'' + β (1 − f'²)."""
        slope = f.d(eta)
        return f.d(eta, eta, eta) + f * f.d(eta, eta) + self.beta * (1 - slope * slope)

    def wall_shear(self, eta: Field, f: Field, shear: Tensor) -> Field:
        """The shear f''(0) less the unknown."""
        return f.d(eta, eta) - shear

    def reference(self, eta: np.ndarray) -> np.ndarray:
        """Chebyshev collocation with conditions at both ends, to 1e-13."""
        return _layer(self.beta, self.length)(eta)[0]


@cache
def _layer(beta: float, length: float) -> Piecewise:
    """The states f, f', f''."""

    def right(eta: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([y[1], y[2], -y[0] * y[2] - beta * (1 - y[1] ** 2)])

    def ends(wall: np.ndarray, stream: np.ndarray) -> np.ndarray:
        return np.stack([wall[0], wall[1], stream[1] - 1])

    def guess(eta: np.ndarray) -> np.ndarray:
        return np.stack([eta - 1 + np.exp(-eta), 1 - np.exp(-eta), np.exp(-eta)])

    return join(right, ends, guess, uniform(length, math.ceil(length)))
