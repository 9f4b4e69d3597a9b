"""Linear unknowns at their least-squares values."""

import pytest
import torch

from pinnlab.engines import NTP
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval
from pinnlab.networks import MLP
from pinnlab.residuals import Residuals
from tests.truth import agree


class Oscillator(Equation):
    """a u'' + b u' + c u³ = 1 + u with a and b linear unknowns, c another one."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self):
        super().__init__()
        self.a = Unknown(0.7, linear=True)
        self.b = Unknown(0.7, linear=True)
        self.c = Unknown(0.5)

    def constraints(self):
        return {
            "interior": Constraint(Interval(x=(0, 1)), self.residual, sobolev=(1.0, 0.1)),
            "left": Constraint(Interval(x=(0, 0.1)), lambda x, u, a: u + a * u.d(x)),
        }

    def residual(self, x, u, a, b, c):
        return a * u.d(x, x) + b * u.d(x) + c * u**3 - 1 - u


POINTS = {"interior": {"x": torch.linspace(0, 1, 9).double()}, "left": {"x": torch.linspace(0, 0.1, 4).double()}}


def problem():
    torch.manual_seed(2)
    return Residuals(MLP(1, 1, width=5), Oscillator(), NTP())


def set_unknowns(residuals, **values):
    for name, value in values.items():
        with torch.no_grad():
            getattr(residuals.equation, name).parameter.fill_(value)


def test_blocks_are_affine_in_the_linear_unknowns():
    residuals = problem()
    values = {"a": 0.3, "b": -1.2}
    pieces = {name: residuals.affine(name, points, len(points["x"])) for name, points in POINTS.items()}
    set_unknowns(residuals, **values)
    for name, block in residuals(POINTS).items():
        agree(pieces[name].at(values), block, 1e-12, name)
        assert residuals.height(name) == len(block)


def test_the_least_squares_values_solve_the_normal_equations():
    residuals = problem()
    blocks = residuals.reduced(POINTS)
    loss = residuals.loss(blocks)
    agree(residuals.loss(residuals(POINTS)), loss, 1e-12)  # the unknowns are set to those values
    for unknown in residuals.equation.unknowns().values():
        unknown.requires_grad_()
    slopes = torch.autograd.grad(
        residuals.loss(residuals(POINTS)), [residuals.equation.a.parameter, residuals.equation.b.parameter]
    )
    assert max(abs(float(slope)) for slope in slopes) < 1e-8
    best = {name: float(getattr(residuals.equation, name).value.detach()) for name in "ab"}
    for da, db in ((0.1, 0.0), (0.0, -0.1), (0.05, 0.05)):
        set_unknowns(residuals, a=best["a"] + da, b=best["b"] + db)
        assert float(residuals.loss(residuals(POINTS)).detach()) > float(loss.detach())


def test_values_stay_within_their_bounds_and_are_the_best_there():
    free = problem()
    free.reduced(POINTS)
    best = float(free.equation.a.value.detach())
    low, high = best + 0.1, best + 0.2  # the free minimum lies below
    bounded = Residuals(free.network, Oscillator(), NTP())
    bounded.equation.a = Unknown(bounds=(low, high), linear=True)
    loss = float(bounded.loss(bounded.reduced(POINTS)).detach())
    assert float(bounded.equation.a.value.detach()) == pytest.approx(low)
    b = float(bounded.equation.b.value.detach())
    for a, db in ((low, 0.1), (low, -0.1), ((low + high) / 2, 0.0), (high, 0.1)):
        set_unknowns(bounded, a=a, b=b + db)
        assert float(bounded.loss(bounded(POINTS)).detach()) > loss


def test_the_gradient_of_the_least_loss_is_the_gradient_at_fixed_unknowns():
    residuals = problem()
    parameters = list(residuals.network.parameters())
    found = torch.autograd.grad(residuals.loss(residuals.reduced(POINTS)), parameters, materialize_grads=True)
    weight, h = parameters[2], 1e-6
    values = []
    for step in (h, -2 * h):
        with torch.no_grad():
            weight[0, 0] += step
        values.append(float(residuals.loss(residuals.reduced(POINTS)).detach()))
    assert float(found[2][0, 0]) == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-5, abs=1e-9)
