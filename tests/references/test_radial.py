"""Profiles by shooting satisfy their equations by another integrator, and agree with proofs."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pinnlab.problems.blowup.local import keller_segel, schrodinger_profile, semilinear_heat
from pinnlab.references.profiles.ginzburg_landau import coefficients, profile
from pinnlab.references.profiles.radial import Series

PROVED = {
    (1, 1): ((1.232037502, 1.232037549), (0.85310870, 0.85310897)),
    (1, 2): ((0.7830765, 0.7830777), (0.4932224, 0.4932233)),
    (1, 3): ((1.1238411, 1.1238444), (0.3467529, 0.3467544)),
    (1, 4): ((0.883873, 0.883882), (0.266758, 0.266761)),
    (3, 1): ((1.8856567, 1.8856573), (0.9173559, 0.9173563)),
    (3, 2): ((0.839957, 0.839962), (0.321239, 0.321241)),
}
"""The enclosures of μ and κ by Dahne and Figueras, as the notebooks of their proof print them."""


@pytest.mark.parametrize(("dimension", "number"), PROVED)
def test_profiles_of_schrodingers_equation_lie_in_the_proved_enclosures(dimension, number):
    equation = schrodinger_profile.SchrodingerProfile(number, dimension)
    for unknown, (low, high) in zip((equation.mu, equation.kappa), PROVED[dimension, number], strict=True):
        assert low < unknown.truth < high


@pytest.mark.parametrize(
    ("found", "last"),
    [(keller_segel._profile(1), 3.0), (keller_segel._profile(2), 1.5), (semilinear_heat._profile(1), 2.0),
     (schrodinger_profile._profile(1, 1), 12.0)],
    ids=["Keller-Segel 1", "Keller-Segel 2", "heat", "Schrodinger"],
)  # fmt: skip
def test_runge_and_kutta_agree_with_a_profile_on_both_sides_of_its_middle(found, last):
    equation, x = found.equation, found.numbers

    def right(r, y):
        u, p = np.split(y[:, None], 2)
        return np.concatenate([p, equation.right(np.array([r]), u, r * p, x) - (equation.dimension - 1) / r * p])[:, 0]

    r = np.array([equation.first, equation.middle, last])
    m = len(equation.centre(x))
    start = found.inner(r[:1])[:, 0]
    start[m:] *= r[0]
    ended = solve_ivp(right, (r[0], last), start, "DOP853", t_eval=r, rtol=1e-13, atol=1e-15)
    assert np.abs(ended.y[:m] - found(r)).max() < 1e-9 * np.abs(found(r)).max()


def test_the_numbers_do_not_depend_on_where_profiles_are_matched_and_begin():
    for module, numbers in ((keller_segel, (1, 2, 3)), (semilinear_heat, (1, 2))):
        for number in numbers:
            found = module._profile(number)
            other = dataclasses.replace(found.equation, middle=1.3, end=found.equation.end + 1, step=0.3)
            assert np.abs(other.solve(found.numbers).numbers / found.numbers - 1).max() < 1e-12


def test_the_first_chemotactic_profile_is_the_exact_one():
    found = keller_segel._profile(1)
    r = np.linspace(0, 13, 201)
    assert np.abs(found(r)[0] * (2 + r**2) / 2 - 1).max() < 1e-13
    z = np.linspace(0, 1, 301)
    assert np.abs(found.compact(z, 3.0)[0] - 2 / (2 * z + 9 * (1 - z))).max() < 1e-13


def test_the_series_at_infinity_satisfies_the_equation_to_its_last_term():
    kappa, epsilon, dimension, sigma = 0.6, 0.05, 3, 1.2
    c = coefficients(kappa, epsilon, 0.8 + 0.3j, dimension, sigma, 3)

    def residual(r):
        p = 1 / sigma + 1j / kappa + 2 * np.arange(len(c))
        terms = c * r**-p
        q, slope, second = terms.sum(), -(p * terms).sum(), (p * (p + 1) * terms).sum()
        linear = (1 - 1j * epsilon) * (second + (dimension - 1) * slope) / r**2
        return abs(linear + 1j * kappa * slope + (1j * kappa / sigma - 1 + abs(q) ** (2 * sigma)) * q)

    # the first power that is left out is r^{−1/σ − 8}
    assert residual(20.0) / residual(40.0) == pytest.approx(2 ** (8 + 1 / sigma), rel=0.05)


def test_the_branch_of_ginzburg_and_landau_begins_at_schrodingers_profile():
    mu, kappa = schrodinger_profile._profile(1, 1).numbers[:2]
    found = profile(1, 2.3, (1.23, 0.001), kappa=kappa)
    assert found.numbers[0] == pytest.approx(mu, abs=1e-12) and abs(found.numbers[1]) < 1e-12
    # published: ε* = 0.0606361 at κ* = 0.554644
    assert profile(1, 2.3, (1.269, 0.0606), kappa=0.5546).numbers[1] == pytest.approx(0.0606361, abs=1e-6)


def test_a_series_is_summed_up_to_its_smallest_term():
    factorials = np.cumprod([1.0, *range(1, 30)])
    terms = Series(2.0, factorials).terms(3.0)
    assert len(terms) in (9, 10) and np.abs(terms).argmin() >= len(terms) - 2
