"""Poisson's equation in one dimension, in its weak form."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint, Whole
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import Field
from pinnlab.operators import GaussLegendre


class WeakPoisson(Equation):
    """∫ u' v' = ∫ f v on [−1, 1] for v = sin ½kπ(x + 1), k ≤ 250, with f such that u = sin(4πx)/10 + tanh 5x.

    The weak form of −u'' = f: no second derivative of u is taken, and each row of the residual is an integral over the
    whole interval, by Gauss and Legendre's rule. The values of u at the ends are given. The test functions say nothing
    of shorter waves than theirs: a solve to a tolerance takes no more features than they determine. The solution has a
    steep part and waves (as those of hp-VPINN, Kharazmi, Zhang & Karniadakis 2021).

    Example:
        >>> import torch
        >>> WeakPoisson().solution({"x": torch.tensor([0.125])})["u"].value
        tensor([0.6546])
    """

    inputs = ("x",)
    outputs = ("u",)

    def __init__(self, tests: int = 250) -> None:
        """Sets the number of test functions.

        Raises:
            UserError: if it is not positive.
        """
        super().__init__()
        if tests < 1:
            raise UserError(f"the number of test functions must be positive, got {tests}")
        self.tests = tests

    def constraints(self) -> dict[str, Constraint]:
        """The weak form, and the ends."""
        nodes = GaussLegendre(x=(-1.0, 1.0), nodes=20 + 2 * self.tests)
        line = Interval(x=(-1.0, 1.0))
        return {
            "weak": Whole(nodes, self.residual),
            "left": Constraint(line.face("x", -1.0), lambda x, u: u + math.tanh(5)),
            "right": Constraint(line.face("x", 1.0), lambda x, u: u - math.tanh(5)),
        }

    def residual(self, x: Field, u: Field, weight: Tensor) -> Field:
        """The integrals ∫ u' v' − f v, divided by ½kπ, for one test function v after another."""
        rates = math.pi / 2 * torch.arange(1, self.tests + 1, device=weight.device)[:, None]
        angles = rates * (x.value + 1)
        return angles.cos() @ (weight * u.d(x)) - (angles.sin() / rates) @ (weight * self.load(x))

    def load(self, x: Field) -> Field:
        """The source f = −u''."""
        steep = (5 * x).tanh()
        return 1.6 * math.pi**2 * (4 * math.pi * x).sin() + 50 * steep * (1 - steep * steep)

    def exact(self, x: Field) -> Field:
        """The wave and the steep part."""
        return (4 * math.pi * x).sin() / 10 + (5 * x).tanh()
