"""Levenberg-Marquardt and its damped solves on small least-squares problems with known solutions."""

import functools
import itertools

import pytest
import torch

from pinnlab.optimisers.levenberg_marquardt import LevenbergMarquardt
from pinnlab.optimisers.linear import structured
from pinnlab.optimisers.linear.conjugate_gradients import ConjugateGradients
from pinnlab.optimisers.linear.least_squares import Normal, Orthogonal
from pinnlab.optimisers.linear.operators import Matrix
from pinnlab.optimisers.linear.structured import damped_triangle, gram
from pinnlab.optimisers.problem import Linearised, Problem
from pinnlab.ranks import Ranks


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (6, 6)])
@pytest.mark.parametrize("factorisation", [Orthogonal, Normal, ConjugateGradients])
def test_damped_solves_are_ridge_regression(shape, factorisation):
    jacobian, b, damping = torch.randn(shape), torch.randn(shape[0]), 0.3
    truth = -torch.linalg.solve(jacobian.mT @ jacobian + damping * torch.eye(shape[1]), jacobian.mT @ b)
    torch.testing.assert_close(factorisation(Matrix(jacobian)).damped(damping).solve(b), truth, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (1, 1), (70, 40)])
def test_a_gram_matrix_is_the_lower_triangle_of_the_product(shape, dtype):
    matrix = torch.randn(shape).to(dtype)
    for given in (matrix, matrix.mT):  # as it lies in memory, and not
        for of_rows in (False, True):
            product = given @ given.mT if of_rows else given.mT @ given
            torch.testing.assert_close(gram(given, of_rows), product.tril())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("n", [1, 5, 70])
def test_factors_of_a_damped_triangle(n, dtype, monkeypatch):
    """UᵀU = RᵀR + μI, Q is orthogonal with Qᵀ [R; √μ I] = [U; 0], and the general routines give the same."""
    triangle, c, damping = torch.randn(n, n).triu().to(dtype), torch.randn(n).to(dtype), 0.7
    found = damped_triangle(triangle, damping)
    upper = found.upper.triu()
    close = functools.partial(
        torch.testing.assert_close, rtol=1e3 * torch.finfo(dtype).eps, atol=1e2 * torch.finfo(dtype).eps
    )
    close(upper.mT @ upper, triangle.mT @ triangle + damping * torch.eye(n, dtype=dtype))
    close(upper.mT @ found.rotated(c), triangle.mT @ c)  # [U; 0]ᵀ Qᵀ (c; 0) = [R; √μ I]ᵀ (c; 0)
    close(found.rotated_back(upper @ c), triangle @ c)  # Q [U; 0] = [R; √μ I]
    monkeypatch.setattr(structured, "_PRODUCTS", {})
    general = damped_triangle(triangle, damping)
    close(general.upper.mT.tril() @ general.rotated(c), upper.mT @ found.rotated(c))
    close(general.rotated_back(general.upper.triu() @ c), found.rotated_back(upper @ c))


def test_orthogonal_factors_keep_digits_that_the_gram_matrix_loses():
    """Singular values from 1 to 1e-10: the solution along the smallest is right by QR alone."""
    u, v = torch.linalg.qr(torch.randn(6, 6))[0], torch.linalg.qr(torch.randn(6, 6))[0]
    jacobian = u @ torch.diag(torch.logspace(0, -10, 6)) @ v
    solution = v.mT @ torch.ones(6)
    errors = [
        float((f(Matrix(jacobian)).damped(1e-26).solve(-jacobian @ solution) - solution).norm())
        for f in (Orthogonal, Normal)
    ]
    assert errors[0] < 1e-4 < 0.1 < errors[1]


class Rows(Linearised):
    def __init__(self, vector, jacobian):
        self.vector, self.matrix = vector, jacobian

    def jacobian(self):
        return Matrix(self.matrix)


class Valley(Problem):
    """Rosenbrock's function as least squares, (10 (y − x²), 1 − x): a curved valley with its minimum at (1, 1)."""

    def __init__(self):
        self.evaluations = 0

    def linearise(self, theta):
        self.evaluations += 1
        x, y = theta.tolist()
        return Rows(torch.tensor([10 * (y - x * x), 1 - x]), torch.tensor([[-20 * x, 10.0], [-1.0, 0.0]]))

    def accept(self, there):
        pass

    def same(self, other):
        return True

    ranks = Ranks()


@pytest.mark.parametrize("corrections", [0, 3])
def test_follows_a_curved_valley_to_its_end(corrections):
    start = torch.nn.Parameter(torch.tensor([-1.2, 1.0]))
    optimizer, problem = LevenbergMarquardt([start], corrections=corrections), Valley()
    losses = [optimizer.step(lambda: problem) for _ in range(60)]
    assert losses == sorted(losses, reverse=True)
    torch.testing.assert_close(start.detach(), torch.ones(2), rtol=1e-12, atol=1e-12)


def test_corrections_save_steps_in_a_curved_valley():
    steps = {}
    for corrections in (0, 3):
        start = torch.nn.Parameter(torch.tensor([-1.2, 1.0]))
        optimizer, problem = LevenbergMarquardt([start], corrections=corrections), Valley()
        steps[corrections] = next(i for i in range(200) if optimizer.step(lambda p=problem: p) < 1e-20)
    assert steps[3] < steps[0]


def spoilt():
    """A Jacobian of rank 3, whose Gram matrix rounding errors leave indefinite."""
    return torch.randn(40, 3) @ torch.randn(3, 12)


class Fixed(Problem):
    """Linear residuals b + A θ, of which some evaluations may be spoilt."""

    ranks = Ranks()

    def __init__(self, matrix, b, spoil=None):
        self.matrix, self.b, self.spoil, self.evaluations = matrix, b, spoil, 0

    def linearise(self, theta):
        self.evaluations += 1
        r = self.b + self.matrix @ theta
        return Rows(self.spoil(r, self.evaluations) if self.spoil else r, self.matrix)

    def accept(self, there):
        pass

    def same(self, other):
        return True


@pytest.mark.parametrize("scale", [1.0, 1e-100])
def test_a_factorisation_that_fails_is_a_refused_trial(scale):
    """With no floor under the damping the Gram matrix of a deficient Jacobian has no factors; a larger one has."""
    matrix, whole = spoilt(), []

    class Bare(Normal):
        def __init__(self, jacobian, ranks=None):
            super().__init__(jacobian, ranks)
            self.floor = 0.0

        def damped(self, damping):
            made = super().damped(damping)
            whole.append(bool(made.solve(torch.ones(40)).isfinite().all()))
            return made

    x = torch.nn.Parameter(torch.zeros(12))
    problem = Fixed(matrix * scale, torch.ones(40) * scale)
    optimizer = LevenbergMarquardt([x], damping=1e-25, factorisation=Bare)
    losses = [optimizer.step(lambda: problem) for _ in range(6)]
    assert not all(whole) and whole[-1]
    best = torch.linalg.lstsq(matrix, -torch.ones(40, 1), driver="gelsd").solution[:, 0]
    least = float((matrix @ best + 1).square().sum()) * scale**2
    assert losses[-1] == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("factorisation", [Orthogonal, Normal])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_trials_that_are_not_finite_are_refused(bad, factorisation):
    matrix = torch.randn(9, 4)
    problem = Fixed(matrix, torch.ones(9), lambda r, count: r * bad if count in (2, 3) else r)
    x = torch.nn.Parameter(torch.zeros(4))
    optimizer = LevenbergMarquardt([x], factorisation=factorisation)
    losses = [optimizer.step(lambda: problem) for _ in range(30)]
    assert losses == sorted(losses, reverse=True)
    assert problem.evaluations > 3
    torch.testing.assert_close(x.detach(), torch.linalg.lstsq(matrix, -torch.ones(9, 1)).solution[:, 0])


@pytest.mark.parametrize("factorisation", [Orthogonal, Normal])
@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
@pytest.mark.parametrize("consistent", [True, False])
def test_a_solved_linear_problem_ends_in_few_evaluations(shape, consistent, factorisation):
    """Whether its least loss is zero or not: then a step sees at once that there is nothing to gain."""
    matrix, x = torch.randn(shape), torch.nn.Parameter(torch.zeros(shape[1]))
    b = matrix @ torch.randn(shape[1]) if consistent else torch.randn(shape[0])
    problem = Fixed(matrix, b)
    optimizer = LevenbergMarquardt([x], factorisation=factorisation)
    for _steps in range(40):
        optimizer.step(lambda: problem)
        if optimizer.exhausted:
            break
    assert optimizer.exhausted
    best = torch.linalg.lstsq(matrix, -b[:, None], driver="gelsd").solution[:, 0]
    least = float((b + matrix @ best).norm())
    assert float((b + matrix @ x.detach()).norm()) <= least + 1e-13 * float(b.norm())
    before = problem.evaluations
    for _ in range(3):
        optimizer._last = None  # as after a resumption
        optimizer.step(lambda: problem)
    # one for the start of each and one trial with its corrections, where there were twenty
    assert problem.evaluations - before <= 3 * 5


def test_steps_far_from_a_minimum_are_not_taken_for_its_end():
    """A first damping that is too small by thirty orders costs refused trials, and does not end the valley."""
    start = torch.nn.Parameter(torch.tensor([-1.2, 1.0]))
    optimizer, problem = LevenbergMarquardt([start], damping=1e-30, corrections=0), Valley()
    for _ in range(60):
        optimizer.step(lambda: problem)
        if optimizer.exhausted:
            break
    torch.testing.assert_close(start.detach(), torch.ones(2), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("solver", [Orthogonal, Normal])
def test_linear_residuals_are_factorised_once(solver):
    made = []

    class Counted(solver):
        def __init__(self, jacobian, ranks=None):
            made.append(jacobian)
            super().__init__(jacobian, ranks)

    x = torch.nn.Parameter(torch.zeros(5))
    matrix, b = torch.randn(9, 5), torch.randn(9)
    optimizer = LevenbergMarquardt([x], damping=0.1, factorisation=Counted)
    losses = [optimizer.step(lambda: Fixed(matrix, b)) for _ in range(6)]
    assert len(made) == 1 and losses[-1] < losses[0]
    optimizer.step(lambda: Fixed(matrix + 1, b))
    assert len(made) == 2


def test_a_step_by_conjugate_gradients_never_writes_the_jacobian_out():
    class Products(Matrix):
        def dense(self):
            raise AssertionError("written out")

    class Unwritten(Rows):
        def jacobian(self):
            return Products(self.matrix)

    class Problem(Fixed):
        def linearise(self, theta):
            return Unwritten(self.b + self.matrix @ theta, self.matrix)

    matrix, b = torch.randn(9, 5), torch.randn(9)
    found = []
    for problem, solver in ((Problem(matrix, b), ConjugateGradients), (Fixed(matrix, b), Orthogonal)):
        x = torch.nn.Parameter(torch.zeros(5))
        optimizer = LevenbergMarquardt([x], damping=0.1, factorisation=solver)
        found.append([optimizer.step(lambda: problem) for _ in range(4)])  # noqa: B023
    assert found[0] == pytest.approx(found[1], rel=1e-9)


class Scales(Problem):
    """A linear problem r = A θ − b whose small singular values need a small damping."""

    ranks = Ranks()

    def __init__(self):
        u, v = torch.linalg.qr(torch.randn(6, 6))[0], torch.linalg.qr(torch.randn(6, 6))[0]
        self.matrix = u @ torch.diag(torch.logspace(0, -6, 6)) @ v
        self.truth = torch.randn(6)

    def linearise(self, theta):
        return Line(self.matrix, theta - self.truth)

    def accept(self, there):
        pass

    def same(self, other):
        return True


class Line(Linearised):
    def __init__(self, matrix, error):
        self.matrix, self.vector = matrix, matrix @ error

    def jacobian(self):
        return Matrix(self.matrix.clone())


def test_descents_find_in_one_step_what_takes_several():
    problem = Scales()
    reached = {}
    for descents in (0, 8):
        theta = torch.nn.Parameter(torch.zeros(6))
        optimizer = LevenbergMarquardt([theta], decrease=1e2, descents=descents)
        first = optimizer.step(lambda: problem)
        reached[descents] = optimizer.reached
        left = problem.matrix @ (theta.detach() - problem.truth)
        assert optimizer.reached == pytest.approx(float(left.square().sum()))
        assert optimizer.reached < first
    assert reached[8] < 1e-8 * reached[0]


def test_a_step_says_what_its_linear_model_promised():
    problem = Scales()
    optimizer = LevenbergMarquardt([torch.nn.Parameter(torch.zeros(6))], decrease=1e2, descents=8)
    first = optimizer.step(lambda: problem)
    assert optimizer.promised <= 1.01 * optimizer.reached < first


def test_a_descent_that_does_not_help_leaves_the_better_point():
    """On a curved valley whole steps are worse than damped ones."""
    for descents in (0, 4):
        optimizer = LevenbergMarquardt([torch.nn.Parameter(torch.tensor([-1.2, 1.0]))], descents=descents)
        problem = Valley()
        losses = [optimizer.step(lambda p=problem: p) for _ in range(60)]
        assert all(after <= before for before, after in itertools.pairwise(losses))
        assert losses[-1] < 1e-20
