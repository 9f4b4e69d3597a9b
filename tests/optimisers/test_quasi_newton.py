"""Quasi-Newton: the laws of the update, the line search, and convergence on known functions."""

import math

import pytest
import torch

from pinnlab.errors import DivergedError
from pinnlab.optimisers.line_search import Trial, strong_wolfe
from pinnlab.optimisers.quasi_newton import QuasiNewton, bfgs, self_scaled_bfgs, self_scaled_broyden, update

MEMBERS = [bfgs, self_scaled_bfgs, self_scaled_broyden]
members = pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.__name__)


def definite(size, condition=100.0):
    basis = torch.linalg.qr(torch.randn(size, size))[0]
    matrix = basis * torch.logspace(0, math.log10(condition), size) @ basis.mT
    return (matrix + matrix.mT) / 2


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


class Minimisation:
    """A function of a vector with the closure that optimisers call, counting evaluations."""

    def __init__(self, function, start):
        self.function, self.evaluations = function, 0
        self.x = torch.nn.Parameter(torch.as_tensor(start))

    def __call__(self):
        self.evaluations += 1
        self.x.grad = None
        value = self.function(self.x)
        value.backward()
        return value.detach()


# The update


@members
@pytest.mark.parametrize("size", [1, 2, 7])
def test_updates_keep_symmetry_definiteness_and_the_secant_equation(member, size):
    hessian, inverse = definite(size), definite(size)
    for _ in range(30):
        s = torch.randn(size)
        y = hessian @ s
        update(inverse, s, y, float(s @ torch.linalg.solve(inverse, s)), member)
        torch.testing.assert_close(inverse @ y, s, rtol=1e-9, atol=1e-12)
        assert torch.equal(inverse, inverse.mT)
        assert torch.linalg.eigvalsh(inverse)[0] > 0


def test_bfgs_is_the_textbook_formula():
    inverse, hessian, s = definite(6), definite(6), torch.randn(6)
    y = hessian @ s
    left = torch.eye(6) - torch.outer(s, y) / (y @ s)
    truth = left @ inverse @ left.mT + torch.outer(s, s) / (y @ s)
    update(inverse, s, y, math.nan, bfgs)
    torch.testing.assert_close(inverse, truth, rtol=1e-11, atol=1e-13)


@members
def test_the_inverse_is_the_family_member_of_the_hessian(member):
    """H⁻¹ is τ (B − Bs (Bs)ᵀ/s·Bs + θ (s·Bs) w wᵀ) + y yᵀ/y·s, w = y/y·s − Bs/s·Bs: the family as it is taught."""
    for _ in range(20):
        b, hessian, s = definite(5), definite(5), torch.randn(5)
        inverse, y, bs = torch.linalg.inv(b), hessian @ s, b @ s
        inverse = (inverse + inverse.mT) / 2
        ys, sbs = y @ s, s @ bs
        tau, phi = member(float(sbs / ys), float(y @ inverse @ y / ys), 5)
        a = sbs / ys * (y @ inverse @ y / ys) - 1
        theta = (1 - phi) / (1 + phi * a)
        w = y / ys - bs / sbs
        truth = tau * (b - torch.outer(bs, bs) / sbs + theta * sbs * torch.outer(w, w)) + torch.outer(y, y) / ys
        update(inverse, s, y, float(sbs), member)
        torch.testing.assert_close(torch.linalg.inv(inverse), truth, rtol=1e-6, atol=1e-6)


def published(b, h, size):
    """Al-Baali's choice as the papers print it, for a > 0."""
    a = b * h - 1
    rho = min(1, h * (1 - math.sqrt(a / (1 + a))))
    theta = max((rho - 1) / a, min(1 / rho, (1 - b) / b))
    sigma = 1 + theta * a
    power = sigma ** (1 / (1 - size))
    tau = min(1, 1 / b) * min(power, 1 / theta) if theta > 0 else min(min(1, 1 / b) * power, sigma)
    return tau, (1 - theta) / (1 + a * theta)


def test_the_choice_is_as_published_and_finite_at_the_ends():
    for b in (0.01, 0.3, 1.0, 2.0, 50.0):
        for product in (1.001, 1.5, 10.0, 1e4):
            assert self_scaled_broyden(b, product / b, 9) == pytest.approx(published(b, product / b, 9), rel=1e-6)
        for product in (1 - 1e-15, 1.0, 1e30):
            tau, phi = self_scaled_broyden(b, product / b, 9)
            assert math.isfinite(phi) and 0 < tau < math.inf


# The line search


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0])
@pytest.mark.parametrize(
    "function",
    [
        lambda t: -t / (t * t + 2),
        lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
        lambda t: 1e-30 * ((t - 1.3) ** 2 + torch.sin(3 * t) / 4),
        lambda t: (t - 0.01).cosh(),
    ],
)
def test_line_search_meets_the_strong_wolfe_conditions(function, first):
    def evaluate(t):
        x = torch.tensor(t, requires_grad=True)
        value = function(x)
        (slope,) = torch.autograd.grad(value, x)
        return Trial(t, value.item(), slope.item(), slope)

    start = evaluate(0.0)
    found = strong_wolfe(evaluate, start, first, curvature=0.1)
    assert found.value <= start.value + 1e-4 * found.t * start.slope
    assert abs(found.slope) <= 0.1 * abs(start.slope)


def test_line_search_returns_its_start_where_nothing_is_lower():
    start = Trial(0.0, 1.0, -1.0, torch.zeros(1))
    assert strong_wolfe(lambda t: Trial(t, 1.0 + t, 1.0, torch.zeros(1)), start) is start


# The optimiser


@members
def test_quadratics_end_in_as_many_steps_as_variables(member):
    """With exact line searches the directions are conjugate, whatever the scaling."""
    size = 8
    hessian, x = definite(size), torch.randn(size)
    problem = Minimisation(lambda x: x @ hessian @ x / 2, x)
    optimizer = QuasiNewton([problem.x], member, curvature=1e-10)
    losses = [float(optimizer.step(problem)) for _ in range(size + 1)]
    assert losses[-2] > 1e-10 * losses[0]
    assert losses[-1] < 1e-14 * losses[0]


@members
@pytest.mark.parametrize("size", [2, 10])
def test_rosenbrock(member, size):
    problem = Minimisation(rosenbrock, [-1.2, 1.0] * (size // 2))
    optimizer = QuasiNewton([problem.x], member, inner=20)
    for _ in range(10):
        optimizer.step(problem)
    assert rosenbrock(problem.x).item() < 1e-20
    assert problem.evaluations < 400


@members
def test_a_multiple_of_the_function_takes_the_same_steps(member):
    """By a power of two, so that rounding is the same, down to values near 1e-120."""
    found = []
    for factor in (1.0, 2.0**-400):
        problem = Minimisation(lambda x, factor=factor: rosenbrock(x) * factor, [-1.2, 1.0, 0.3])
        optimizer = QuasiNewton([problem.x], member, inner=30)
        optimizer.step(problem)
        found.append((problem.x.detach().clone(), problem.evaluations))
    assert torch.equal(found[0][0], found[1][0]) and found[0][1] == found[1][1]


def test_steps_too_far_are_taken_back():
    def bounded(x):
        if not (x.detach() > 0).all():
            raise DivergedError("outside")
        return (x - x.log()).sum()

    problem = Minimisation(bounded, [1e-3, 5.0])
    optimizer = QuasiNewton([problem.x], inner=60)
    optimizer.step(problem)
    torch.testing.assert_close(problem.x.detach(), torch.ones(2), rtol=1e-7, atol=0)


def test_a_minimum_stays():
    problem = Minimisation(rosenbrock, [1.0, 1.0])
    optimizer = QuasiNewton([problem.x], inner=5)
    assert optimizer.step(problem) == 0
    assert torch.equal(problem.x.detach(), torch.ones(2))


def test_no_pair_is_taken_across_a_change_of_the_function():
    """After steps on one quadratic and then on another, H maps the last change of the second's gradient alone."""
    one, other = definite(4), definite(4)
    problem = Minimisation(lambda x: x @ one @ x, torch.randn(4))
    optimizer = QuasiNewton([problem.x], inner=3)
    optimizer.step(problem)
    problem.function, optimizer.inner = lambda x: x @ other @ x, 1
    before = problem.x.detach().clone()
    optimizer.step(problem)
    s = problem.x.detach() - before
    torch.testing.assert_close(optimizer.state[problem.x]["inverse"] @ (2 * other @ s), s, rtol=1e-8, atol=1e-10)
