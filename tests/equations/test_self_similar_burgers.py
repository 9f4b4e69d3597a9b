"""The shipped equation: its exact solution, constraints and exponents."""

import math

import pytest
import torch

from pinnlab.errors import UserError
from pinnlab.jets import Jet
from pinnlab.problems import SelfSimilarBurgers

PROFILES = pytest.mark.parametrize("k", [1, 2, 3, 4])


@PROFILES
def test_the_exact_solution_satisfies_the_equation_with_all_derivatives(k):
    equation = SelfSimilarBurgers(k)
    points = {"X": torch.linspace(-2, 2, 41)}
    U = equation.solution(points, 2 * k + 2)["U"]
    X = Jet.seed(points["X"][:, None], U.indices).coordinate(0)
    residual = equation.residual(X, U, torch.tensor(1 / (2 * k)))
    terms = ((1 + 1 / (2 * k)) * X + U) * U.d(X)
    assert residual.indices.order == 2 * k + 1
    scale = terms.coefficients.abs().amax(1, keepdim=True)
    assert bool((residual.coefficients.abs() <= 1e-9 * scale).all())
    # and the implicit form, X = -U - U^(2k+1)
    torch.testing.assert_close(-U.value - U.value ** (2 * k + 1), points["X"], rtol=0, atol=1e-14)


@PROFILES
def test_the_exact_solution_has_the_known_derivatives_at_the_origin(k):
    order = 2 * k + 1
    U = SelfSimilarBurgers(k).solution({"X": torch.zeros(1)}, order)["U"]
    known = [0.0, -1.0, *[0.0] * (order - 2), float(math.factorial(order))]
    found = [float(U.derivative((j,))) for j in range(order + 1)]
    assert found == pytest.approx(known, rel=1e-12, abs=1e-12)


@PROFILES
def test_the_exact_solution_is_odd_and_meets_the_ends(k):
    equation = SelfSimilarBurgers(k)
    X = torch.linspace(-2, 2, 33)
    U = equation.solution({"X": X})["U"].value
    torch.testing.assert_close(U, -U.flip(0), rtol=0, atol=1e-15)
    assert U[[0, -1]].tolist() == pytest.approx([1.0, -1.0], rel=1e-14)
    ends = equation.solution({"X": torch.tensor([-2.0, 2.0])})["U"]
    assert not equation.ends(torch.tensor([-2.0, 2.0]), ends.value).abs().gt(1e-14).any()


def test_the_exact_solution_in_single_precision():
    U = SelfSimilarBurgers(2).solution({"X": torch.linspace(-2, 2, 9, dtype=torch.float32)}, 3)["U"]
    assert U.dtype == torch.float32
    double = SelfSimilarBurgers(2).solution({"X": torch.linspace(-2, 2, 9)}, 3)["U"]
    torch.testing.assert_close(U.coefficients.double(), double.coefficients, rtol=1e-5, atol=1e-5)


@PROFILES
def test_the_exponent_lies_between_its_neighbours(k):
    lam = SelfSimilarBurgers(k).unknowns()["lam"]
    assert lam.bounds == (1 / (2 * k + 1), 1 / (2 * k - 1))
    assert lam.truth == 1 / (2 * k)
    assert float(lam.value.detach()) == pytest.approx(sum(lam.bounds) / 2)


def test_a_single_exponent_and_start_can_be_chosen():
    equation = SelfSimilarBurgers(1, bounds=(0.4, 0.6), start=0.45)
    assert equation.lam.bounds == (0.4, 0.6)
    assert float(equation.lam.value.detach()) == 0.45
    equation.check()
    assert equation.name == "SelfSimilarBurgers"


@pytest.mark.parametrize(
    ("message", "arguments"),
    [("profile must be", {"profile": 0}), ("increasing order", {"bounds": (0.6, 0.4)}), ("outside", {"start": 3.0})],
)
def test_bad_profiles_and_bounds_are_refused(message, arguments):
    with pytest.raises(UserError, match=message):
        SelfSimilarBurgers(**arguments)
