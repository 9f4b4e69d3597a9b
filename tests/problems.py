"""Small equations with known solutions, for tests of how they are solved."""

import math

import torch

from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval, PointSet


class Decay(Equation):
    """u' = -k u, u(0) = 1, u(1) = 1/2: u = 2^-x and k = ln 2."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, linear=False):
        super().__init__()
        self.k = Unknown(0.1, truth=math.log(2), linear=linear)

    def constraints(self):
        return {
            "interior": Constraint(Interval(x=(0, 1)), self.residual, points=20),
            "ends": Constraint(PointSet(x=[0.0, 1.0], data=[1.0, 0.5]), lambda u, data: u - data),
        }

    def residual(self, x, u, k):
        return u.d(x) + k * u

    def exact(self, x):
        return torch.exp(-math.log(2) * x)
