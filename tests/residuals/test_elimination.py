"""Linear unknowns at their least-squares values."""

import copy

import numpy as np
import pytest
import torch
from scipy.optimize import lsq_linear

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.networks import MLP
from pinnlab.optimisers.linear.bounded_least_squares import bounded_least_squares
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian.affinity import check_affine
from pinnlab.training import Adam
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
    pieces = {name: residuals.affine(name, points, residuals.over(POINTS)[name]) for name, points in POINTS.items()}
    set_unknowns(residuals, **values)
    for name, block in residuals(POINTS).items():
        agree(pieces[name].at(values), block, 1e-12, name)
        assert residuals.height(name) == len(block)


def test_the_least_squares_values_solve_the_normal_equations():
    residuals = problem()
    reduced = residuals.reduced(POINTS)
    loss = residuals.loss(reduced.blocks)
    assert all(float(getattr(residuals.equation, name).value) == 0.7 for name in "ab")  # nothing is written
    set_unknowns(residuals, **reduced.values)
    agree(residuals.loss(residuals(POINTS)), loss, 1e-12)
    for unknown in residuals.equation.unknowns().values():
        unknown.requires_grad_()
    slopes = torch.autograd.grad(
        residuals.loss(residuals(POINTS)), [residuals.equation.a.parameter, residuals.equation.b.parameter]
    )
    assert max(abs(float(slope)) for slope in slopes) < 1e-8
    for da, db in ((0.1, 0.0), (0.0, -0.1), (0.05, 0.05)):
        set_unknowns(residuals, a=reduced.values["a"] + da, b=reduced.values["b"] + db)
        assert float(residuals.loss(residuals(POINTS)).detach()) > float(loss.detach())


def test_values_stay_within_their_bounds_and_are_the_best_there():
    free = problem()
    best = free.reduced(POINTS).values["a"]
    low, high = best + 0.1, best + 0.2  # the free minimum lies below
    bounded = Residuals(free.network, Oscillator(), NTP())
    bounded.equation.a = Unknown(bounds=(low, high), linear=True)
    reduced = bounded.reduced(POINTS)
    loss, b = float(bounded.loss(reduced.blocks).detach()), reduced.values["b"]
    assert reduced.values["a"] == low
    for a, db in ((low, 0.1), (low, -0.1), ((low + high) / 2, 0.0), (high, 0.1)):
        set_unknowns(bounded, a=a, b=b + db)
        assert float(bounded.loss(bounded(POINTS)).detach()) > loss


@pytest.mark.parametrize("at_a_bound", [False, True])
def test_the_gradient_of_the_least_loss_is_the_gradient_at_fixed_unknowns(at_a_bound):
    residuals = problem()
    if at_a_bound:
        low = residuals.reduced(POINTS).values["a"] + 0.1
        residuals.equation.a = Unknown(bounds=(low, low + 1), linear=True)
        assert residuals.reduced(POINTS).values["a"] == low

    def least():
        return residuals.loss(residuals.reduced(POINTS).blocks)

    parameters = list(residuals.network.parameters())
    found = torch.autograd.grad(least(), parameters, materialize_grads=True)
    weight, h = parameters[2], 1e-6
    values = []
    for step in (h, -2 * h):
        with torch.no_grad():
            weight[0, 0] += step
        values.append(float(least().detach()))
    assert float(found[2][0, 0]) == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-5, abs=1e-9)


class Sum(Equation):
    """Correlated slopes: r = Σ_i λ_i u^(1 + i/10) − 1, and one unknown without effect."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, count, bounds=None):
        super().__init__()
        for i in range(count):
            self.add_module(f"l{i}", Unknown(0.3, bounds, linear=True))
        self.idle = Unknown(0.7, linear=True)

    def constraints(self):
        return {"all": Constraint(Interval(x=(0, 1)), self.residual, points=40)}

    def residual(self, x, idle, l0, l1=0.0, l2=0.0, l3=0.0):
        return (
            sum(value * (1 + x) ** (1 + i / 10) for i, value in enumerate((l0, l1, l2, l3)))
            - torch.cos(4 * x)
            + 0 * idle
        )


@pytest.mark.parametrize("bounds", [None, (-10.0, 10.0), (0.0, 0.4), (-1e-3, 2.0)])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_correlated_unknowns_are_solved_for_exactly(count, bounds):
    equation = Sum(count, bounds)
    residuals = Residuals(MLP(1, 1, width=3), equation, NTP())
    x = torch.linspace(0, 1, 40)
    values = residuals.reduced({"all": {"x": x}}).values
    assert values.pop("idle") == 0.7
    matrix = np.stack([(1 + x.numpy()) ** (1 + i / 10) for i in range(count)], 1)
    low, high = bounds or (-np.inf, np.inf)
    truth = lsq_linear(matrix, np.cos(4 * x.numpy()), (low, high), method="bvls", tol=1e-15).x
    found = np.array([values[f"l{i}"] for i in range(count)])
    assert ((low <= found) & (found <= high)).all()
    # the condition number times rounding errors bounds what both can know
    assert np.allclose(found, truth, rtol=1e-14 * np.linalg.cond(matrix), atol=1e-15)


@pytest.mark.parametrize("seed", range(6))
def test_bounded_least_squares_beside_scipy(seed):
    """The optimality conditions, and scipy's value; with dependent columns as well."""
    generator = torch.Generator().manual_seed(seed)
    for count in (1, 2, 3, 5):
        matrix, b = torch.randn(8, count, generator=generator), torch.randn(8, generator=generator)
        if count == 5 and seed % 2:
            matrix[:, 4] = matrix[:, 0] - 2 * matrix[:, 1]
        low = torch.rand(count, generator=generator) - 0.8
        high = low + torch.rand(count, generator=generator)
        if seed % 3 == 0:
            low[0], high[-1] = -torch.inf, torch.inf
        x = bounded_least_squares(matrix, b, low, high)
        assert ((low <= x) & (x <= high)).all()
        slope = matrix.mT @ (matrix @ x + b)
        assert (slope[x > low] < 1e-12).all() and (slope[x < high] > -1e-12).all()
        best = lsq_linear(matrix.numpy(), -b.numpy(), (low.numpy(), high.numpy()), method="bvls").cost
        assert float((matrix @ x + b).square().sum()) / 2 == pytest.approx(best, rel=1e-9)


class Declared(Equation):
    """A residual in which the unknown appears as a function makes it."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.k, self.m = Unknown(0.5, linear=True), Unknown(0.5, linear=True)

    def constraints(self):
        return {"interior": Constraint(Interval(x=(0, 1)), lambda x, u, k, m: self.function(x, u, k, m), points=30)}


NOT_AFFINE = {
    "square": (lambda x, u, k, m: u.d(x) + k * k * u, "k"),
    "product": (lambda x, u, k, m: u.d(x) + k * m * u, "k and m"),
    "sine": (lambda x, u, k, m: u.d(x) + torch.sin(k), "k"),
    "size": (lambda x, u, k, m: u.d(x) + m * x + k.abs() * u, "k"),
    "inverse": (lambda x, u, k, m: u.d(x) + k * u + u / m, "m"),
    "root": (lambda x, u, k, m: u.d(x) + torch.sqrt(m) * u, "m"),
    "slightly": (lambda x, u, k, m: u.d(x) + k * u + 1e-3 * m**3 * x * (1 - x), "m"),
}
AFFINE = {
    "both": lambda x, u, k, m: u.d(x) + k * u - m * x,
    "with fields": lambda x, u, k, m: k * u.d(x) ** 2 + torch.exp(u) * (m - 3) + x,
    "huge": lambda x, u, k, m: 1e12 * k * u + 1e-12 * m,
    "without effect": lambda x, u, k, m: u.d(x) + 0 * k,
    "not finite at a point": lambda x, u, k, m: u.d(x) / x + k * u,
}
engines = pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["jets", "autograd"])


@engines
@pytest.mark.parametrize("case", list(NOT_AFFINE))
def test_an_unknown_that_is_not_linear_is_refused_before_training(case, engine):
    function, names = NOT_AFFINE[case]
    with pytest.raises(UserError, match=rf"'interior': the residual is not affine in {names}, declared linear") as e:
        pinnlab.solve(Declared(function), engine=engine, phases=[Adam(1)], accelerator="cpu")
    assert "\n" not in str(e.value)


@engines
@pytest.mark.parametrize("case", list(AFFINE))
def test_an_unknown_that_is_linear_is_not_refused(case, engine):
    residuals = Residuals(MLP(1, 1, width=4), Declared(AFFINE[case]), engine)
    before = copy.deepcopy(residuals.state_dict())
    check_affine(residuals, {"interior": {"x": torch.linspace(0, 1, 30)}})
    assert all(torch.equal(before[name], value) for name, value in residuals.state_dict().items())
