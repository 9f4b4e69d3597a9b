"""What a run says of its own solution, and error bars of noisy data against those of least squares."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import curve_fit

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval, PointSet
from pinnlab.networks import MLP
from pinnlab.problems import Poisson
from pinnlab.training import Adam, GaussNewton
from pinnlab.training.evaluation.findings import neighbour_correlation
from tests.problems import Decay

SMALL = partial(MLP, width=12, depth=2, initialisation="kaiming_uniform")
ENGINES = pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=lambda engine: type(engine).__name__)
solve = partial(pinnlab.solve, accelerator="cpu")


class Measured(Equation):
    """u' = −k u, u(0) = 1, with thirty measurements of some function of t with noise."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self, weight, truth=lambda t: np.exp(-0.7 * t), noise=0.02):
        super().__init__()
        self.k = Unknown(0.5)
        self.weight = weight
        self.t = np.linspace(0.1, 3, 30)
        self.m = truth(self.t) + noise * np.random.default_rng(3).normal(size=30)

    def constraints(self):
        line = Interval(t=(0, 3))
        return {
            "ode": Constraint(line, lambda t, u, k: u.d(t) + k * u, points=60, weight=self.weight),
            "start": Constraint(line.face("t", 0), lambda u: u - 1, weight=self.weight),
            "data": Constraint(PointSet(t=self.t, m=self.m), lambda u, m: u - m),
        }


@pytest.mark.parametrize(("weight", "engine"), [(1.0, NTP()), (1e2, Autograd()), (1e4, NTP())], ids=["1", "1e2", "1e4"])
def test_the_error_bar_of_noisy_data_is_that_of_least_squares(weight, engine):
    equation = Measured(weight)
    solution = solve(equation, SMALL, engine, [GaussNewton(60)])
    (best,), ((variance,),) = curve_fit(lambda t, k: np.exp(-k * t), equation.t, equation.m, [0.5])
    assert solution.metrics["uncertainty_k"] == pytest.approx(math.sqrt(variance), rel=0.2)
    assert abs(solution.unknowns["k"] - best) < math.sqrt(variance)
    assert solution.findings == []


@ENGINES
def test_a_fit_that_does_not_hold_the_equation_says_so(engine):
    solution = solve(Measured(1e-3), SMALL, engine, [GaussNewton(60)])
    assert any("does not hold the equation" in finding for finding in solution.findings)


@pytest.mark.parametrize(
    "truth",
    [lambda t: 1 / (1 + t * t), lambda t: 1 + 0.3 * t, lambda t: np.exp(-(t**2))],
    ids=["Lorentz", "line", "Gauss"],
)
def test_an_equation_that_does_not_describe_the_data_is_told_by_neighbouring_misfits(truth):
    solution = solve(Measured(100.0, truth, noise=0.005), SMALL, phases=[GaussNewton(60)])
    assert any("misfit of 'data' is no noise" in finding for finding in solution.findings)


class Combined(Equation):
    """u' = −f(a, b) u with u = exp(−2t) measured: of a and b only f is determined."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self, rate):
        super().__init__()
        self.a, self.b, self.c = Unknown(1.3), Unknown(0.9), Unknown(0.5)
        self.rate = rate

    def constraints(self):
        t = np.linspace(0, 1, 20)
        ode = lambda t, u, a, b: u.d(t) + self.rate(a, b) * u  # noqa: E731
        return {
            "ode": Constraint(Interval(t=(0, 1)), ode, points=40),
            "data": Constraint(PointSet(t=t, m=np.exp(-2 * t)), lambda u, m: u - m),
            "scaled": Constraint(PointSet(t=t, m=3 * np.exp(-2 * t)), lambda u, c, m: c * u - m),
        }


RATES = {"ab": lambda a, b: a * b, "a+b": lambda a, b: a + b, "a/b": lambda a, b: a / b, "aab": lambda a, b: a**2 * b}


@ENGINES
@pytest.mark.parametrize(
    "rate", [pytest.param(rate, id=name, marks=[pytest.mark.long] * ("/" in name)) for name, rate in RATES.items()]
)
def test_unknowns_of_which_only_a_combination_is_determined_have_no_error(rate, engine):
    solution = solve(Combined(rate), SMALL, engine, [Adam(50), GaussNewton(40)])
    assert solution.metrics["uncertainty_a"] == solution.metrics["uncertainty_b"] == math.inf
    assert any(finding.startswith("a and b are not determined") for finding in solution.findings)
    assert solution.metrics["uncertainty_c"] < 1e-3 and solution.unknowns["c"] == pytest.approx(3, abs=1e-3)


@ENGINES
def test_too_few_points_for_the_network(engine):
    points = {"interior": 40, "boundary": 30}
    solution = solve(Poisson((2, 2)), SMALL, engine, [GaussNewton(150)], points=points)
    assert any("is far above that of training" in finding for finding in solution.findings)


@ENGINES
def test_an_error_as_large_as_the_solution(engine):
    solution = solve(Decay(), SMALL, engine, [Adam(3)])
    assert any("as large as u itself" in finding for finding in solution.findings)


@ENGINES
def test_of_a_good_solution_nothing_is_said(engine, tmp_path):
    solution = solve(Decay(), SMALL, engine, [GaussNewton(40)], folder=tmp_path / "run")
    assert solution.findings == [] == pinnlab.load(tmp_path / "run").findings


def test_neighbours_of_noise_are_independent_and_of_smooth_misfits_alike():
    places = torch.rand(400, 2)
    assert abs(neighbour_correlation(torch.randn(1, 400), places)) < 0.2
    assert neighbour_correlation(torch.sin(3 * places[:, :1]).mT, places) > 0.9
    assert neighbour_correlation(torch.zeros(1, 400), places) == 0


def test_values_outside_of_the_region_are_told(caplog):
    solution = solve(Decay(), SMALL, phases=[Adam(2)])
    caplog.clear()
    solution(x=[0.0, 0.5, 1.0])
    assert not caplog.records
    solution.d("x", x=[[-0.5, 0.5], [1.5, 2.0]])
    assert "3 of 4 points lie outside of the region of 'interior'" in caplog.text
    assert solution.outside(x=[[-0.5, 0.5], [1.5, 2.0]]).tolist() == [[True, False], [True, True]]
