"""Slopes of the residuals in the unknowns."""

import pytest
import torch

from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval
from pinnlab.networks import MLP
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.residuals import Residuals
from pinnlab.residuals.elimination import flatten
from pinnlab.residuals.jacobian.sensitivity import slopes


class Growth(Equation):
    """u' = sin(p) u, which is not affine in p."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self):
        super().__init__()
        self.p = Unknown(0.7)

    def constraints(self):
        return {"interior": Constraint(Interval(x=(0.0, 1.0)), lambda x, u, p: u.d(x) - p.sin() * u, points=9)}


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=lambda engine: type(engine).__name__)
def test_slopes_are_those_of_reverse_mode(engine):
    residuals = Residuals(MLP(1, 1, 6, 2), Growth(), engine)
    points = {"interior": {"x": torch.linspace(0, 1, 9)}}
    found = slopes(residuals, points)
    blocks = flatten(residuals(points))
    expected = [torch.autograd.grad(r, residuals.equation.p.parameter, retain_graph=True)[0] for r in blocks]
    torch.testing.assert_close(found["p"], torch.stack(expected), rtol=1e-7, atol=1e-9)


def test_slopes_of_a_linear_unknown_are_exact_also_at_its_bound():
    residuals = Residuals(MLP(1, 1, 6, 2), SelfSimilarBurgers(2), NTP())
    points = {"interior": {"X": torch.linspace(-2, 2, 7)}, "origin": {"X": torch.linspace(-0.1, 0.1, 3)}}
    unknown = residuals.equation.lam
    torch.nn.init.constant_(unknown.parameter, unknown.bounds[0])
    found = slopes(residuals, points)
    expected = flatten(
        {n: residuals.affine(n, p, residuals.over(points)[n]).slopes["lam"].detach() for n, p in points.items()}
    )
    torch.testing.assert_close(found["lam"], expected, rtol=1e-9, atol=1e-9)
