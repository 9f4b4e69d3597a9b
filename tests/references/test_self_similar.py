"""Self-similar profiles by a grid in log y: operators, exact profiles, published exponents."""

import numpy as np
import pytest

from pinnlab.references.self_similar import LogGrid, Profile, solve
from pinnlab.references.vorticity_profiles import at, ccf, clm, clm_equations


@pytest.mark.parametrize("crest", [None, (-0.5, 0.3, 0.5)])
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


def test_the_first_exponent_is_the_published_one():
    assert abs(ccf(0).lam - 1.1807776628998) < 1e-9


def test_a_profile_that_newton_does_not_find_is_an_error():
    grid = LogGrid(0.5, -10, 15)
    guess = Profile(grid, np.cos(9 * grid.s)[None] * 50, 3.0)
    with pytest.raises(RuntimeError, match="Newton's method does not converge"):
        solve(clm_equations(0.3), guess, grid)
