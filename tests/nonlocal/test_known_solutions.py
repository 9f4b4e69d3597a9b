"""Equations whose rows use more than one point, solved to many digits under both engines."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
import torch

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Equation
from pinnlab.networks import RandomFeatures, Rescaled
from pinnlab.operators import GaussLegendre
from pinnlab.training import LBFGS, Adam, GaussNewton
from tests import nonlocal_problems as problems


@dataclass(frozen=True)
class Problem:
    """An equation, its network, and the largest error on an interval that is allowed after Gauss-Newton."""

    equation: type[Equation]
    network: Callable[[int, int], torch.nn.Module]
    tolerance: float
    interval: tuple[float, float] = (0.0, 1.0)
    damping: float = 1.0


def features(count: int, scale: float = 1.0):
    return partial(RandomFeatures, features=count, scale=scale)


PROBLEMS = {
    "volterra": Problem(problems.VolterraSecondKind, features(40), 1e-9),
    "fredholm": Problem(problems.FredholmSecondKind, features(40), 1e-9),
    "normalised": Problem(problems.Normalised, features(40), 1e-10),
    "relaxation": Problem(problems.Relaxation, partial(problems.Root, network=features(30)), 1e-5),
    "delay": Problem(problems.Delay, features(40), 1e-9, (0.0, 3.0)),
    "kinks": Problem(problems.KinkedDelay, features(40), 1e-8, (0.0, 3.0)),
    "soliton": Problem(problems.Soliton, partial(problems.Bell, network=features(80, 3.0)), 1e-8, (-100.0, 100.0)),
    "moving soliton": Problem(problems.MovingSoliton, problems.Harmonics, 1e-6, (-100.0, 100.0), damping=1e-3),
    "heat": Problem(
        problems.Heat,
        partial(Rescaled, low=[0.0, 0.0], high=[1.0, 2 * math.pi], network=features(400)),
        1e-9,
        (0.0, 2 * math.pi),
    ),
}


def error(problem: Problem, solution: pinnlab.Solution) -> float:
    """The largest difference from the true solution at many points."""
    torch.manual_seed(3)
    equation = problem.equation
    lower, upper = problem.interval
    z = torch.cat([lower + (upper - lower) * torch.rand(4000), torch.tensor([lower, upper])])
    if equation.inputs == ("t", "x"):
        t = torch.rand(len(z))
        return float((torch.as_tensor(solution(t=t, x=z)) - equation.truth(t, z)).abs().max())
    found, truth = solution(**{equation.inputs[0]: z}), equation.truth(z)
    if isinstance(found, dict):  # a piece for each unit
        piece = z.long().clamp(max=len(found) - 1)
        found = torch.stack([torch.as_tensor(found[name]) for name in equation.outputs])[piece, torch.arange(len(z))]
    found = torch.as_tensor(found)
    if equation is problems.Normalised:
        found = found * found[z.argsort()[len(z) // 2]].sign()
    return float((found - truth).abs().max())


@pytest.mark.long
@pytest.mark.parametrize("engine", [NTP, Autograd], ids=["jets", "autograd"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_gauss_newton_finds_the_solution(name, engine):
    problem = PROBLEMS[name]
    phases = [GaussNewton(40, damping=problem.damping, tolerance=1e-26)]
    solution = pinnlab.solve(problem.equation(), problem.network, engine(), phases, accelerator="cpu")
    assert error(problem, solution) < problem.tolerance
    if name == "normalised":
        assert solution.unknowns["eigenvalue"] == pytest.approx(math.pi**2, abs=1e-10)
        rule = GaussLegendre(x=(0, 1), nodes=50)  # unlike those of training and evaluation
        u = torch.as_tensor(solution(x=rule.nodes["x"]))
        assert float((rule.weights * u * u).sum()) == pytest.approx(1, abs=1e-12)


# fixed features of the line are badly conditioned for first-order methods; a network of the same variables is not
FIRST_ORDER = PROBLEMS | {
    "moving soliton": Problem(problems.MovingSoliton, problems.OnTheLine, 1e-2, (-100.0, 100.0)),
}


@pytest.mark.long
@pytest.mark.parametrize("name", FIRST_ORDER)
def test_adam_with_lbfgs_finds_two_digits(name):
    problem = FIRST_ORDER[name]
    phases = [Adam(1000, lr=3e-3), LBFGS(60)]
    if name == "moving soliton":
        start = {"start": 100.0}
        phases = [Adam(300, weights=start), LBFGS(80, weights=start)]
    solution = pinnlab.solve(problem.equation(), problem.network, NTP(), phases, accelerator="cpu")
    assert error(problem, solution) < 1e-2
