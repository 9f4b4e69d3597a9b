"""The Blasius boundary layer."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval, PointSet
from pinnlab.jets import Field
from pinnlab.references.initial_value import Piecewise, march, uniform

SHEAR = 0.3320573362151963
"""The wall shear f''(0) of the half-line."""


class Blasius(Equation):
    """f''' + ½ f f'' = 0 on [0, L], f(0) = f'(0) = 0, f'(L) = 1, with the wall shear f''(0) as an unknown.

    The similarity solution of the laminar boundary layer on a flat plate; the condition f' → 1 at infinity is put
    at a finite L, which changes f''(0) by about exp(−L²/4).

    Example:
        >>> equation = Blasius(length=10.0)
        >>> list(equation.constraints()), equation.shear.truth
        (['interior', 'wall', 'shear', 'stream'], 0.3320573362151963)
    """

    inputs = ("eta",)
    outputs = ("f",)

    def __init__(self, length: float = 12.0) -> None:
        """Sets L.

        Raises:
            UserError: if the length is not positive.
        """
        super().__init__()
        if length <= 0:
            raise UserError(f"the length must be positive, got {length}")
        self.length = length
        self.shear = Unknown(0.5, truth=SHEAR, linear=True)

    def constraints(self) -> dict[str, Constraint]:
        """The equation, the wall, its shear, and the free stream."""
        wall, stream = PointSet(eta=[0.0]), PointSet(eta=[self.length])
        return {
            "interior": Constraint(Interval(eta=(0.0, self.length)), self.residual, points=200),
            "wall": Constraint(wall, lambda eta, f: (f, f.d(eta))),
            "shear": Constraint(wall, self.wall_shear),
            # f'' = 0 excludes an f that is negative up to a thin layer at L: its residual is small but for the layer
            "stream": Constraint(stream, lambda eta, f: (f.d(eta) - 1, f.d(eta, eta))),
        }

    def residual(self, eta: Field, f: Field) -> Field:
        """The momentum balance f''' + ½ f f''."""
        return f.d(eta, eta, eta) + 0.5 * f * f.d(eta, eta)

    def wall_shear(self, eta: Field, f: Field, shear: Tensor) -> Field:
        """The shear f''(0) less the unknown."""
        return f.d(eta, eta) - shear

    def reference(self, eta: np.ndarray) -> np.ndarray:
        """Chebyshev collocation on intervals of ½ from the wall, with its shear: to 1e-13 for the half-line."""
        return _layer(self.length)(eta)[0]


@cache
def _layer(length: float) -> Piecewise:
    def right(eta: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([y[1], y[2], -0.5 * y[0] * y[2]])

    return march(right, np.array([0.0, 0.0, SHEAR]), uniform(length, math.ceil(2 * length)))
