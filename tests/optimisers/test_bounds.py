"""Bounded parameters: optimisers stay within, find what lies inside, near or on a bound, and let go of bounds."""

import functools
import io
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.networks import MLP
from pinnlab.optimisers.bounds import Box, direction
from pinnlab.optimisers.levenberg_marquardt import LevenbergMarquardt
from pinnlab.optimisers.limited_memory import LimitedBFGS
from pinnlab.optimisers.linear.least_squares import Normal, Orthogonal
from pinnlab.optimisers.linear.operators import Matrix
from pinnlab.optimisers.problem import Linearised, Problem
from pinnlab.optimisers.quasi_newton import QuasiNewton
from pinnlab.ranks import Ranks
from pinnlab.training import LBFGS, Adam, GaussNewton, SSBroyden

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
from bounded_unknowns import PROBLEMS, Case, Decay, draw


class Rows(Linearised):
    def __init__(self, function, theta):
        self.vector = function(theta)
        self.slopes = torch.autograd.functional.jacobian(function, theta)

    def jacobian(self):
        return Matrix(self.slopes)


class Bounded(Problem):
    """Residuals of a vector, some components with bounds."""

    ranks = Ranks()

    def __init__(self, function, box):
        self.function, self.box, self.seen = function, box, []

    def linearise(self, theta):
        self.seen.append(theta.clone())
        with torch.enable_grad():
            return Rows(self.function, theta)

    def accept(self, there):
        pass

    def same(self, other):
        return True


def valley(x):
    """Rosenbrock's function as least squares: its minimum is (1, 1)."""
    return torch.stack((10 * (x[1] - x[0] ** 2), 1 - x[0]))


def hidden(x):
    """The slope along the second component vanishes at 0: r = (x₀ − cos x₁, x₀ − cos 0.7)."""
    return torch.stack((x[0] - torch.cos(x[1]), x[0] - math.cos(0.7)))


def minimise(method, function, start, box, steps=30):
    """The minimiser that a method finds, and all the points that it evaluated."""
    x = torch.nn.Parameter(torch.tensor(start))
    if method in ("qr", "cholesky"):
        problem = Bounded(function, box)
        optimizer = LevenbergMarquardt([x], factorisation={"qr": Orthogonal, "cholesky": Normal}[method])
        for _ in range(steps):
            optimizer.step(lambda: problem)
        return x.detach(), problem.seen
    optimizer = {
        "LBFGS": lambda: LimitedBFGS([x], max_iter=10, history_size=10),
        "SSBroyden": lambda: QuasiNewton([x], inner=10),
    }[method]()
    seen = []

    def closure():
        seen.append(x.detach().clone())
        x.grad = None
        value = function(x).square().sum()
        value.backward()
        return value.detach()

    for _ in range(steps):
        optimizer.step(closure, box=box)
    return x.detach(), seen


def interval(index, low, high):
    return Box(torch.tensor([index]), *(torch.tensor([bound], dtype=torch.float64) for bound in (low, high)))


METHODS = pytest.mark.parametrize("method", ["qr", "cholesky", "LBFGS", "SSBroyden"])


@METHODS
@pytest.mark.parametrize(
    ("function", "start", "box", "minimum"),
    [
        (valley, [-1.2, 1.0], interval(0, -1.5, 1.5), [1.0, 1.0]),  # inside
        (valley, [-1.2, 1.0], interval(0, -1.5, 1.0), [1.0, 1.0]),  # on a bound
        (valley, [-1.2, 1.0], interval(0, -1.5, 1.0 + 1e-9), [1.0, 1.0]),  # near one
        (valley, [-1.2, 1.0], interval(0, -1.5, 0.5), [0.5, 0.25]),  # cut off by one
        (valley, [-1.0, 1.0], interval(0, -1.0, 1.5), [1.0, 1.0]),  # from one
        (valley, [0.2, 0.7], interval(1, 0.5, 0.8), None),  # the other component
        (hidden, [5.0, 0.2], interval(1, 0.0, 1.0), [math.cos(0.7), 0.7]),  # overshoots to both bounds
        (hidden, [-5.0, 0.9], interval(1, 0.0, 1.0), [math.cos(0.7), 0.7]),
    ],
)
def test_minima_are_found_within_the_bounds(method, function, start, box, minimum):
    found, seen = minimise(method, function, start, box)
    at = torch.stack(seen)[:, box.indices]
    assert ((box.low <= at) & (at <= box.high)).all()
    if minimum is None:
        # x = argmin over 0.5 ≤ y ≤ 0.8: y on its upper bound, x by the remaining equation
        assert float(found[1]) == 0.8
        x = float(found[0])
        assert -200 * x * (0.8 - x * x) - (1 - x) == pytest.approx(0, abs=1e-5)
    else:
        torch.testing.assert_close(found, torch.tensor(minimum), rtol=1e-6, atol=1e-6)


@METHODS
def test_a_bound_that_descent_pushes_against_is_reached_and_left_again(method):
    """At first the minimum lies beyond the bound, then inside: the component lets go."""
    box, target = interval(0, 0.0, 1.0), [3.0]

    def function(x):
        return torch.stack((x[0] - target[0], x[0] - x[1], 0.1 * (x[1] - target[0])))

    x = torch.nn.Parameter(torch.tensor([0.4, 0.0]))
    optimizer = {
        "qr": lambda: LevenbergMarquardt([x]),
        "cholesky": lambda: LevenbergMarquardt([x], factorisation=Normal),
        "LBFGS": lambda: LimitedBFGS([x], max_iter=10),
        "SSBroyden": lambda: QuasiNewton([x], inner=10),
    }[method]()
    for expected in (1.0, 0.25):
        target[0] = 3.0 if expected == 1.0 else 0.25
        for _ in range(25):
            if isinstance(optimizer, LevenbergMarquardt):
                optimizer._last = None
                optimizer.step(lambda: Bounded(function, box))
                continue

            def closure():
                x.grad = None
                value = function(x).square().sum()
                value.backward()
                return value.detach()

            optimizer.step(closure, box=box)
        assert float(x[0].detach()) == pytest.approx(expected, abs=1e-9)
        if expected == 1.0:
            assert float(x[0].detach()) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_the_direction_is_the_minimum_of_the_model_within_the_bounds(seed):
    generator = torch.Generator().manual_seed(seed)
    size, count = 7, 3
    a = torch.randn(size, size, generator=generator)
    inverse = a @ a.mT + 0.1 * torch.eye(size)
    gradient = torch.randn(size, generator=generator)
    indices = torch.randperm(size, generator=generator)[:count]
    theta = torch.rand(size, generator=generator)
    box = Box(indices, torch.zeros(count), torch.ones(count))
    d, pushed = direction(lambda v: inverse @ v, gradient, box.room(theta))
    room = box.room(theta)
    torch.testing.assert_close(d, -inverse @ pushed, rtol=1e-9, atol=1e-9)
    assert not room.beyond(d).any() and float(gradient @ d) < 0
    hessian = torch.linalg.inv(inverse)
    slope = gradient + hessian @ d  # of the model: zero but where a component is as far as it may go
    free = torch.ones(size, dtype=torch.bool)
    free[indices] = (d[indices] > room.low) & (d[indices] < room.high)
    assert slope[free].abs().max() < 1e-8
    for i, low, high in zip(indices, room.low, room.high, strict=True):
        assert d[i] > low or slope[i] > -1e-8
        assert d[i] < high or slope[i] < 1e-8


def error(problem, cases, phases, engine=None, **options):
    options = {"accelerator": "cpu", "limit_val_batches": 0, **options}
    network = functools.partial(MLP, width=12, depth=2)
    solution = pinnlab.solve(problem(*cases), network, engine, phases=phases, **options)
    found = list(solution.unknowns.values())
    assert all(c.bounds is None or c.bounds[0] <= v <= c.bounds[1] for c, v in zip(cases, found, strict=True))
    return max(abs(v - c.truth) for c, v in zip(cases, found, strict=True)), solution


@pytest.mark.long
@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["jets", "autograd"])
@pytest.mark.parametrize("bounds", [(0.0, 1.0), (0.0, 0.9), (0.6, 0.7), (0.7, 2.0)])
def test_an_overshot_phase_is_found(bounds, engine):
    case = Case(0.7, max(0.2, bounds[0]), bounds)
    assert error(PROBLEMS[0], [case], [GaussNewton(150, tolerance=1e-12)], engine)[0] < 1e-6


@pytest.mark.long
@pytest.mark.parametrize(
    "phase", [LBFGS(25), SSBroyden(15), Adam(1500, lr=1e-2, schedule="exponential")], ids=lambda phase: phase.name
)
@pytest.mark.parametrize("bounds", [(0.2, 0.8), (0.7, 0.9), (0.1, 0.7 + 1e-6)])
def test_a_decay_is_found_as_well_as_without_bounds(phase, bounds):
    case = Case(0.7, 0.75 if bounds[0] == 0.7 else 0.3, bounds)
    assert error(Decay, [case], [phase])[0] < max(1e-5, 2 * error(Decay, [case.free()], [phase])[0])


@pytest.mark.parametrize(
    "phase", [LBFGS(3), SSBroyden(3), GaussNewton(25), Adam(200, lr=1e-2)], ids=lambda phase: phase.name
)
def test_a_value_that_data_want_outside_ends_on_its_bound(phase):
    """The truth is 0.7, and at most 0.5 is allowed: the bound itself, to the last bit."""
    case = Case(0.7, 0.4, (0.3, 0.5))
    solution = error(Decay, [case], [phase])[1]
    assert solution.unknowns["k"] == 0.5


@pytest.mark.parametrize("phase", [LBFGS(4, inner=5), SSBroyden(4, inner=5)], ids=lambda phase: phase.name)
def test_bounded_quasi_newton_resumes_bit_for_bit(phase):
    box, points = interval(0, -1.5, 0.9), []
    for stop in (None, 2):
        x = torch.nn.Parameter(torch.tensor([-1.2, 1.0]))

        def closure(x=x):
            x.grad = None
            value = valley(x).square().sum()
            value.backward()
            return value.detach()

        optimizer = phase.optimizer([x])
        for step in range(4):
            if step == stop:
                file = io.BytesIO()
                torch.save(optimizer.state_dict(), file)
                file.seek(0)
                optimizer = phase.optimizer([x])
                optimizer.load_state_dict(torch.load(file, weights_only=True))
            optimizer.step(closure, box=box)
        points.append(x.detach())
    assert torch.equal(*points)


@pytest.mark.long
def test_random_truths_starts_and_bounds():
    """Twenty of the cases of the experiment, which has two hundred; what fails without bounds too is left out."""
    generator = np.random.default_rng(7)
    left_out = 0
    for number in range(20):
        problem = PROBLEMS[number % len(PROBLEMS)]
        cases = [draw(generator, *limits) for limits in problem.ranges]
        phases = [GaussNewton(250, tolerance=1e-12)]
        if not error(problem, cases, phases, seed=number)[0] < 1e-6:
            assert not error(problem, [case.free() for case in cases], phases, seed=number)[0] < 1e-6, (number, cases)
            left_out += 1
    assert left_out <= 2
