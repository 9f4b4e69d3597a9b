"""Troesch's problem."""

from __future__ import annotations

from functools import cache

import numpy as np

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.references.boundary_value import join
from pinnlab.references.initial_value import Piecewise


class Troesch(Equation):
    """u'' = n sinh(n u) on [0, 1], u(0) = 0, u(1) = 1: a plasma that is confined, n = 5.

    u is small but for a layer at x = 1, which is about as thin as 1/n: its slope there is near 2 sinh(n/2), and at
    x = 0 it is 0.04575046 for n = 5 and near 8 e^{−n} for larger n. Shooting from there fails, because a slope that is
    a little larger leads to infinity before x = 1 (Troesch 1976).

    Example:
        >>> import torch
        >>> Troesch().solution({"x": torch.tensor([0.5, 0.9])})["u"].value
        tensor([0.0554, 0.4551])
    """

    inputs = ("x",)
    outputs = ("u",)

    def __init__(self, n: float = 5.0) -> None:
        """Sets n.

        Raises:
            UserError: if it is not between 0 and 12.
        """
        super().__init__()
        if not 0 < n <= 12:
            raise UserError(f"n must be between 0 and 12, got {n}")
        self.n = n

    def constraints(self) -> dict[str, Constraint]:
        """The equation, and the ends."""
        line = Interval(x=(0.0, 1.0))
        return {
            "interior": Constraint(line, self.residual),
            "left": Constraint(line.face("x", 0.0), lambda x, u: u),
            "right": Constraint(line.face("x", 1.0), lambda x, u: u - 1),
        }

    def residual(self, x: Field, u: Field) -> Field:
        """The balance u'' − n sinh(n u)."""
        return u.d(x, x) - self.n * (self.n * u).sinh()

    def reference(self, x: np.ndarray) -> np.ndarray:
        """Chebyshev collocation on intervals that get shorter toward the layer, to 1e-12."""
        return _layer(self.n)(x)[0]


@cache
def _layer(n: float) -> Piecewise:
    """The states u, u'."""
    edges = 1 - np.concatenate([[1.0], np.geomspace(0.5, np.exp(-n / 2) / 4, 10), [0.0]])
    return join(
        lambda x, y: np.stack([y[1], n * np.sinh(n * y[0])]),
        lambda left, right: np.stack([left[0], right[0] - 1]),
        lambda x: np.stack([x**8, 8 * x**7]),
        edges,
    )
