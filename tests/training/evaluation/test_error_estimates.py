"""Estimates of errors that are made without the truth, against the errors."""

import math
from functools import partial

import pytest
import torch
from torch import nn

import pinnlab
from pinnlab.collocation import Grid, Sobol
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval, PointSet
from pinnlab.networks import MLP, RandomFeatures
from pinnlab.problems import Poisson, ViscousBurgers
from pinnlab.problems.parabolic.viscous_burgers import BurgersAnsatz
from pinnlab.residuals import Residuals
from pinnlab.training import GaussNewton
from pinnlab.training.evaluation.error_estimates import error_estimates
from tests.problems import Decay

SMALL = partial(MLP, width=8, depth=2, initialisation="kaiming_uniform")


def points(equation, n=301, sampler=None):
    return {name: (sampler or Grid()).sample(c.region, n, 0) for name, c in equation.constraints().items()}


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=lambda engine: type(engine).__name__)
@pytest.mark.parametrize("linear", [False, True], ids=["parameter", "projected"])
@pytest.mark.parametrize("steps", [6, 10, 30])
def test_estimates_are_the_errors_to_a_digit(steps, linear, engine):
    """From errors of one in a hundred to rounding's."""
    solution = pinnlab.solve(
        Decay(linear), SMALL, engine, [GaussNewton(steps)], sampler=Grid(), accelerator="cpu", seed=1
    )
    metrics = solution.metrics
    for estimate, error in (("uncertainty_k", "error_k"), ("uncertainty_u", "max_error")):
        assert 0.8 * metrics[error] <= metrics[estimate] <= 1.2 * metrics[error] + 1e-14


def test_errors_of_a_solution_in_two_dimensions():
    """Whether there are few points, or so many that only some are taken."""
    solution = pinnlab.solve(Poisson(), SMALL, phases=[GaussNewton(15)], accelerator="cpu", seed=0)
    error = solution.metrics["max_error"]
    assert error > 1e-6
    assert 0.8 < solution.metrics["uncertainty_u"] / error < 1.3
    many = error_estimates(solution.model.residuals, points(solution.model.equation, 12000, Sobol())).errors
    assert 0.8 < many["u"] / error < 1.3


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_errors_in_a_front_between_the_points(seed):
    """The residual is that of few points in the front, which the tangents cannot follow."""
    network = partial(BurgersAnsatz, network=partial(SMALL, width=12))
    solution = pinnlab.solve(
        ViscousBurgers(0.02, normalisation=0.1),
        network,
        phases=[GaussNewton(60, factorisation="cholesky")],
        points={"interior": 1000, "initial": 1, "walls": 2},
        accelerator="cpu",
        seed=seed,
    )
    assert 0.1 < solution.metrics["uncertainty_u"] / solution.metrics["max_error"] < 10


@pytest.mark.parametrize("error", [1e-1, -1e-7])
def test_the_error_of_an_unknown_where_nothing_else_is_wrong(error):
    class Line(Equation):
        """u = p x, u(1) = 2, solved by a network u = 2x."""

        inputs, outputs = ("x",), ("u",)

        def __init__(self):
            super().__init__()
            self.p = Unknown(2.0 + error)

        def constraints(self):
            return {
                "interior": Constraint(Interval(x=(0.0, 1.0)), lambda x, u, p: u - p * x),
                "end": Constraint(PointSet(x=[1.0]), lambda u: u - 2),
            }

    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, 2.0)
    nn.init.zeros_(network.bias)
    equation = Line()
    found = error_estimates(Residuals(network, equation, NTP()), points(equation)).errors
    assert found["p"] == pytest.approx(abs(error), rel=1e-6)
    assert found["u"] < 1e-3 * abs(error)


def test_what_no_correction_reaches_makes_the_estimates_large():
    """A straight line for a curved solution: its tangents are straight lines as well."""
    equation = Decay()
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, -0.5)
    nn.init.ones_(network.bias)
    nn.init.constant_(equation.k.parameter, 0.69)
    found = error_estimates(Residuals(network, equation, NTP()), points(equation)).errors
    x = torch.linspace(0, 1, 301)
    assert found["k"] > abs(0.69 - math.log(2))
    assert found["u"] > float((1 - 0.5 * x - 2**-x).abs().max())


def test_an_unknown_that_nothing_depends_on_has_no_estimate():
    class Free(Decay):
        def constraints(self):
            return {"ends": super().constraints()["ends"]}

    exact = nn.Linear(1, 1)
    nn.init.constant_(exact.weight, -0.5)
    nn.init.ones_(exact.bias)
    for network in (SMALL(1, 1), exact):
        assert error_estimates(Residuals(network, Free(), NTP()), points(Free())).errors["k"] == math.inf


def test_networks_of_any_size_take_few_tangents():
    """The weights of the last layers stand for all of a large network."""
    equation = Decay()
    residuals = Residuals(MLP(1, 1, width=80, depth=3), equation, NTP())
    found = error_estimates(residuals, points(equation)).errors
    assert 0 < found["u"] < math.inf and 0 < found["k"] < math.inf


@pytest.mark.long
def test_a_last_layer_of_too_many_weights_leaves_the_bounds_alone():
    """No tangent is taken: the estimate of an unknown is the change that would matter as much as the residual."""
    equation = Decay()
    residuals = Residuals(RandomFeatures(1, 1, features=6000), equation, NTP())
    found = error_estimates(residuals, points(equation)).errors
    assert found["k"] > abs(0.1 - math.log(2)) and found["u"] == math.inf
