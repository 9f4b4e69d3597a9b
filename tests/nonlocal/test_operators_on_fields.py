"""Whole-grid operators within residuals: values and derivatives under both engines, Jacobians, and what is refused."""

import copy
import math
import pickle
from functools import partial

import pytest
import torch
from torch import nn
from torch.func import functional_call

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Equation, Whole
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.networks import MLP
from pinnlab.operators import (
    Antiderivative,
    Caputo,
    Fredholm,
    GaussLegendre,
    HilbertOnCircle,
    Integral,
    PeriodicTrapezoid,
    Volterra,
)
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.training import GaussNewton
from tests import nonlocal_problems as problems

INTERVAL = GaussLegendre(x=(0, 1), nodes=9)
CIRCLE = PeriodicTrapezoid(x=(0, 2 * math.pi), nodes=15)
TOGETHER = GaussLegendre(t=(0, 1), nodes=3) * CIRCLE
ENGINES = {"jets": NTP, "autograd": Autograd}


def volterra(rule):
    return Volterra(rule, lambda x, y: torch.exp(x * y))


def fredholm(rule):
    return Fredholm(rule, lambda x, y: torch.cos(x - y))


class Example(Equation):
    """One Whole constraint with one operator `a`."""

    outputs = ("u",)

    def __init__(self, rule, build, residual, each=None, inputs=None):
        super().__init__()
        self.rule, self.build, self.residual, self.each = rule, build, residual, each
        self.axes = inputs or (("t", "x") if each is not None else rule.names)

    @property
    def inputs(self):
        return self.axes

    def constraints(self):
        return {"all": Whole(self.rule, self.residual, points=3, operators={"a": self.build}, each=self.each)}


class Product(nn.Module):
    """u = e^{2t} sin x, with a weight so that there is a parameter."""

    def __init__(self, inputs):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))
        self.inputs = inputs

    def forward(self, z):
        x = z[..., -1:]
        return self.one * torch.sin(x) if self.inputs == 1 else self.one * torch.exp(2 * z[..., :1]) * torch.sin(x)


def rows(equation, engine, network=None):
    residuals = Residuals(network or Product(len(equation.inputs)), equation, engine)
    constraint = equation.constraints()["all"]
    points = constraint.region.place(3, _Even())
    return residuals, {"all": points}


class _Even:
    nested = False

    def unit(self, n, dimension):
        return ((torch.arange(n) + 0.5) / n)[:, None].expand(n, dimension)

    def split(self, index):
        return self


# rule, operator, groups, residual, what its rows are for u = e^{2t} sin x
DERIVATIVES = {
    "commutes": (CIRCLE, HilbertOnCircle, None, lambda x, u, a: (a @ u).d(x), lambda t, x: x.sin()),
    "commutes twice": (CIRCLE, HilbertOnCircle, None, lambda x, u, a: (a @ u).d(x, x), lambda t, x: x.cos()),
    "of a derivative": (CIRCLE, HilbertOnCircle, None, lambda x, u, a: (a @ u.d(x)).d(x), lambda t, x: x.cos()),
    "antiderivative": (INTERVAL, Antiderivative, None, lambda x, u, a: (a @ u).d(x), lambda t, x: x.sin()),
    "antiderivative twice": (INTERVAL, Antiderivative, None, lambda x, u, a: (a @ u).d(x, x), lambda t, x: x.cos()),
    "along the time of groups": (
        CIRCLE,
        HilbertOnCircle,
        Interval(t=(0, 1)),
        lambda t, x, u, a: (a @ u).d(t, x),
        lambda t, x: 2 * torch.exp(2 * t) * x.sin(),
    ),
    "integral for each time": (
        INTERVAL,
        Integral,
        Interval(t=(0, 1)),
        lambda t, u, a: (a @ u).d(t),
        lambda t, x: 2 * torch.exp(2 * t) * (1 - math.cos(1)),
    ),
    "along the other axis of a product": (
        TOGETHER,
        lambda rule: HilbertOnCircle(rule, "x"),
        None,
        lambda t, x, u, a: (a @ u).d(t, x),
        lambda t, x: 2 * torch.exp(2 * t) * x.sin(),
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", DERIVATIVES)
def test_the_derivative_is_that_of_the_operator(name, engine):
    rule, build, each, residual, expected = DERIVATIVES[name]
    equation = Example(rule, build, residual, each)
    residuals, points = rows(equation, ENGINES[engine]())
    columns = points["all"]
    t = columns.get("t", torch.zeros_like(columns["x"]))
    exact = expected(t, columns["x"])
    found = residuals.with_engine(residuals.engine)(points)["all"].detach().T
    scale = math.sqrt(found.shape[0] * found.shape[1])  # the mean over groups and rows
    torch.testing.assert_close(found * scale, exact[:, : found.shape[1]], rtol=0, atol=1e-9)


@pytest.mark.parametrize("build", [volterra, fredholm], ids=["volterra", "fredholm"])
def test_kernels_differentiate_alike_under_both_engines_and_as_differences_say(build):
    def residual(x, u, a):
        return (a @ (u * u)).d(x)

    found = []
    for engine in ENGINES.values():
        residuals, points = rows(Example(INTERVAL, build, residual), engine())
        found.append(residuals(points)["all"].detach().flatten() * 3)  # √9 nodes
    torch.testing.assert_close(*found)
    # a rule of two panels has the ends of [0, x ± h] apart from its nodes
    x = INTERVAL.nodes["x"]
    fine = GaussLegendre(x=(0, 1), nodes=30)
    operator = build(fine)
    y = fine.nodes["x"]
    slopes = torch.linalg.lstsq(
        torch.from_numpy(_legendre(y)), operator @ y.sin() ** 2
    ).solution  # the interpolant of A u², which is differentiated
    torch.testing.assert_close(found[0], torch.from_numpy(_legendre_slopes(x)) @ slopes, rtol=0, atol=1e-7)


def _legendre(x):
    import numpy as np

    return np.polynomial.legendre.legvander(2 * x.numpy() - 1, 15)


def _legendre_slopes(x):
    import numpy as np

    one = np.eye(16)
    columns = [2 * np.polynomial.legendre.legval(2 * x.numpy() - 1, np.polynomial.legendre.legder(c)) for c in one]
    return np.stack(columns, 1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("rule", "build", "residual"),
    [
        (CIRCLE, HilbertOnCircle, lambda x, u, a: u.d(x) * (a @ u).d(x)),
        (INTERVAL, volterra, lambda x, u, a: u - (a @ (u * u)).d(x)),
        (INTERVAL, Integral, lambda x, u, a: a @ (u * u.d(x))),
        (GaussLegendre(x=(0, 1), nodes=9, power=0.5), lambda rule: Caputo(rule, 0.5), lambda x, u, a: a @ u + u),
    ],
    ids=["hilbert", "volterra", "integral", "caputo"],
)
def test_the_jacobian_is_that_of_reverse_mode(rule, build, residual, engine):
    torch.manual_seed(0)
    residuals, points = rows(Example(rule, build, residual), ENGINES[engine](), MLP(1, 1, 6, 2))
    parameters = {key: p.detach() for key, p in residuals.named_parameters()}
    with torch.no_grad():
        jacobian = Linearisation(residuals, parameters, points).jacobian().dense()
    leaves = {key: p.clone().requires_grad_() for key, p in parameters.items()}
    expected = []
    for row in functional_call(residuals, leaves, (points,))["all"].flatten():
        slopes = torch.autograd.grad(row, list(leaves.values()), retain_graph=True, materialize_grads=True)
        expected.append(torch.cat([slope.flatten() for slope in slopes]))
    expected = torch.stack(expected)
    torch.testing.assert_close(jacobian, expected, rtol=0, atol=1e-12 * max(1, float(expected.abs().max())))


@pytest.mark.parametrize(
    ("rule", "build", "residual", "message"),
    [
        (
            INTERVAL,
            lambda rule: Caputo(rule, 0.5),
            lambda x, u, a: (a @ u).d(x),
            "the result of Caputo has no derivative along x",
        ),
        (INTERVAL, Integral, lambda x, u, a: (a @ u).d(x), "it is not a function of x"),
        (CIRCLE, HilbertOnCircle, lambda x, u, a: (2 * (a @ u)).d(x), "over the nodes"),
        (CIRCLE, lambda rule: HilbertOnCircle(rule).matrix, lambda x, u, a: (a @ u).d(x), "over the nodes"),
    ],
    ids=["caputo", "integral", "arithmetic", "matrix"],
)
def test_a_derivative_that_is_not_there_is_refused_by_name(rule, build, residual, message):
    with pytest.raises(UserError, match=message) as error:
        Residuals(MLP(1, 1, 4, 1), Example(rule, build, residual), NTP())
    assert "\n" not in str(error.value) and str(error.value).startswith("Example, constraint 'all'")


def test_a_column_of_the_points_is_taken_too():
    equation = Example(INTERVAL, Antiderivative, lambda x, u, weight, a: u - x.d(x) * (a @ (weight * 0 + 1)))
    residuals, points = rows(equation, NTP())
    x = INTERVAL.nodes["x"]
    torch.testing.assert_close(residuals(points)["all"].detach().flatten() * 3, x.sin() - x)


def test_a_solution_with_kernels_that_do_not_pickle_is_pickled_without_its_matrices():
    equation = problems.VolterraSecondKind()
    solution = pinnlab.solve(equation, partial(MLP, width=4, depth=1), phases=[GaussNewton(2)], accelerator="cpu")
    stored = pickle.dumps(solution)
    assert len(stored) < 40_000
    for again in (pickle.loads(stored), copy.deepcopy(solution)):
        assert again(x=0.3) == solution(x=0.3)
        points = {"interior": equation.constraints()["interior"].region.place(1, _Even())}
        expected = solution.model.residuals(points)["interior"]
        torch.testing.assert_close(again.model.residuals(points)["interior"], expected)
