"""Self-similar profiles by a grid in log y: operators, exact profiles, published exponents."""

import numpy as np
import pytest
import torch

from pinnlab.errors import UserError
from pinnlab.problems import CordobaCordobaFontelos
from pinnlab.references.profiles.self_similar import LogGrid, Profile, solve
from pinnlab.references.profiles.vorticity_profiles import at, ccf, clm, clm_equations, hou_luo
from tests.catalogue.truth import residuals_at_the_truth


@pytest.mark.parametrize("crest", [None, (-0.5, 0.3)])
def test_operators_on_a_known_pair(crest):
    grid = LogGrid(0.15, -27, 30, crest)
    y = grid.y
    omega = y / (1 + y**2)
    found = grid.operators @ omega
    np.testing.assert_allclose(found[1], y * (1 - y**2) / (1 + y**2) ** 2, atol=1e-10)
    np.testing.assert_allclose(found[2], -1 / (1 + y**2), atol=1e-10)
    np.testing.assert_allclose(found[3], -np.arctan(y) / y, atol=1e-10)
    np.testing.assert_allclose(grid.centre @ omega, -1, rtol=1e-8)
    profile = Profile(grid, omega[None], 0.0)
    np.testing.assert_allclose(profile.slope, 1, rtol=1e-6)
    other = np.exp(np.linspace(-3, 3, 7))
    np.testing.assert_allclose(profile(other)[:, :], [other / (1 + other**2), -np.arctan(other) / other], atol=1e-9)


def test_half_of_the_transport_has_a_rational_profile():
    profile = clm(0.5)
    assert abs(profile.lam - 1 / 3) < 1e-9
    z = np.linspace(0, 5, 11)
    y = np.sinh(z)
    x = 0.75 * y
    np.testing.assert_allclose(at(profile, z, -4.0)[0], -4 * y / (1 + x * x) ** 2, atol=1e-6)


@pytest.mark.parametrize(("rung", "published"), [(0, 1.1807776628998), (1, 0.6057337012032)])
def test_exponents_are_the_published_ones(rung, published):
    assert abs(ccf(rung).lam - published) < 1e-9


@pytest.mark.slow
def test_two_grids_agree_on_the_third_exponent_and_its_profile():
    fine, coarse = ccf(2), ccf(2, 0.14)
    assert 0.471324220 < fine.lam < 0.471324235
    assert abs(fine.lam - coarse.lam) < 1e-9
    z = np.linspace(0.1, 8, 40)
    np.testing.assert_allclose(at(fine, z, 1.0), at(coarse, z, 1.0), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("rung", [1, 2])
def test_narrow_profiles_satisfy_the_equation_between_the_nodes(rung):
    equation = CordobaCordobaFontelos(rung=rung)
    equation.lam.truth = float(ccf(rung).lam)
    found = residuals_at_the_truth(equation, 60, torch.tensor(0.0006, dtype=torch.float64))
    assert max(found["core"], found["origin"]) < 1e-8
    assert found["tail"] < 1e-5


def test_a_fourth_rung_is_an_error():
    with pytest.raises(UserError, match="the rung must be 0, 1 or 2, got 3"):
        ccf(3)


def test_the_first_exponent_of_hou_luo_is_the_published_one():
    assert abs(hou_luo().lam - 1.99871) < 1e-5


def test_the_crest_of_a_known_profile():
    grid = LogGrid(0.1, -27, 30)
    centre, width = Profile(grid, (grid.y / (1 + grid.y**2))[None], 0.0).crest
    # y/(1 + y²) = 1/(2 cosh s) is half of its maximum at cosh s = 2
    assert abs(centre) < 1e-3
    assert abs(width - np.arccosh(2)) < 1e-2


def test_a_profile_that_newton_does_not_find_is_an_error():
    grid = LogGrid(0.5, -10, 15)
    guess = Profile(grid, np.cos(9 * grid.s)[None] * 50, 3.0)
    with pytest.raises(RuntimeError, match="Newton's method does not converge"):
        solve(clm_equations(0.3), guess, grid)
