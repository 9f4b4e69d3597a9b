"""Classical solutions agree with themselves at another resolution, and with other methods."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pinnlab.problems.parabolic.reaction.brusselator import Brusselator
from pinnlab.problems.parabolic.reaction.cahn_hilliard import CahnHilliard
from pinnlab.problems.parabolic.reaction.fitzhugh_nagumo import FitzHughNagumo
from pinnlab.problems.parabolic.reaction.gray_scott import GrayScott
from pinnlab.problems.waves.dispersive.kdv import KdV
from pinnlab.references import cavity, harmonic, screened
from pinnlab.references.boundary_value import join
from pinnlab.references.cole_hopf import cole_hopf
from pinnlab.references.initial_value import graded, march, uniform
from pinnlab.references.periodic import Periodic


def lorenz(t, y):
    return np.stack([10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]])


def robertson(t, y):
    slow, back, fast = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
    return np.stack([back - slow, slow - back - fast, fast])


SYSTEMS = {
    "Lorenz": (lorenz, [1.0, 1.0, 1.0], uniform(3, 120), uniform(3, 190), "DOP853"),
    "Robertson": (robertson, [1.0, 0.0, 0.0], graded(100, 120), graded(100, 190), "Radau"),
}


@pytest.mark.parametrize(("right", "start", "edges", "others", "method"), SYSTEMS.values(), ids=SYSTEMS)
def test_collocation_agrees_with_other_intervals_and_with_runge_and_kutta(right, start, edges, others, method):
    t = np.linspace(0, edges[-1], 501)
    found = march(right, np.array(start), edges)(t)
    scale = np.abs(found).max(1)
    other = march(right, np.array(start), others, degree=30)(t)
    assert (np.abs(other - found).max(1) / scale).max() < 1e-12
    ended = solve_ivp(
        lambda t, y: right(np.array([t]), y[:, None])[:, 0], (0, edges[-1]), start, method, rtol=1e-12, atol=1e-17
    )
    assert (np.abs(ended.y[:, -1] - found[:, -1]) / scale).max() < 1e-8


def test_collocation_says_where_its_intervals_are_too_long():
    with pytest.raises(RuntimeError, match=r"does not converge on \[0, 3\]: take shorter intervals"):
        march(lorenz, np.ones(3), uniform(3, 1))


def burning(lam, edges):
    """Bratu's equation."""
    return join(
        lambda x, y: np.stack([y[1], -lam * np.exp(y[0])]),
        lambda a, b: np.stack([a[0], b[0]]),
        lambda x: np.zeros((2, len(x))),
        edges,
    )


def test_collocation_with_conditions_at_both_ends_agrees_with_a_formula_and_with_marching():
    x = np.linspace(0, 1, 101)
    q = 0.8
    lam = 8 * (q / math.cosh(q)) ** 2
    for edges in (uniform(1, 1), np.array([0, 0.2, 0.7, 1.0])):
        found = burning(lam, edges)(x)
        assert np.abs(found[0] - 2 * np.log(math.cosh(q) / np.cosh((1 - 2 * x) * q))).max() < 1e-13
    marched = march(lambda x, y: np.stack([y[1], -lam * np.exp(y[0])]), found[:, 0], uniform(1, 3))(x)
    assert np.abs(marched - found).max() < 1e-13


def test_collocation_with_conditions_at_both_ends_says_that_it_finds_no_solution():
    with pytest.raises(RuntimeError, match=r"does not converge on \[0, 1\] from this guess"):
        burning(5.0, uniform(1, 2))


def test_a_fourier_series_of_the_heat_equation_is_exact():
    series = Periodic(
        linear=lambda k: (-(k**2))[None],
        nonlinear=lambda u, k, to: 0 * to(u),
        start=lambda x: np.sin(x)[None],
        lower=0.0, period=2 * math.pi, end=1.0, modes=8, grid=32, steps=40, snapshots=20,
    )  # fmt: skip
    t, x = np.linspace(0, 1, 37), np.linspace(0, 6, 37)
    assert np.abs(series.at(t, x)[0] - np.exp(-t) * np.sin(x)).max() < 1e-12


@pytest.mark.parametrize(
    ("problem", "gap"),
    [(KdV, 1e-8), (Brusselator, 1e-9), (CahnHilliard, 1e-9), (FitzHughNagumo, 1e-8), (GrayScott, 1e-8)],
)
def test_half_of_the_modes_and_twice_the_steps_agree(problem, gap):
    module = __import__(problem.__module__, fromlist=["_series"])
    series = module._series(problem().dispersion) if problem is KdV else module._series()
    t, x = np.linspace(0, series.end, 41), np.linspace(series.lower, series.lower + series.period, 41)
    found, other = series.at(t, x), series.refined().at(t, x)
    assert np.abs(found - other).max() < gap * np.abs(found).max()


def test_both_quadratures_of_cole_and_hopf_agree():
    t, x = (column.ravel() for column in np.meshgrid(np.linspace(0, 1, 21), np.linspace(-1, 1, 101)))
    assert np.abs(cole_hopf(t, x, 3e-3) - cole_hopf(t, x, 3e-3, "trapezoidal")).max() < 1e-12
    steep = cole_hopf(t, x, 1e-5, "trapezoidal")
    assert np.abs(cole_hopf(t, x, 1e-5, "trapezoidal", spacing=0.03) - steep).max() < 1e-10


@pytest.mark.parametrize(
    ("error", "function", "source", "inside"),
    [
        (harmonic.holes_error, harmonic.holes, 0.0, lambda x, y: np.hypot(np.abs(x) - 0.3, np.abs(y) - 0.3) > 0.12),
        (harmonic.elbow_error, harmonic.elbow, 1.0, lambda x, y: (x < -0.02) | (y > 0.02)),
    ],
)
def test_harmonic_functions_meet_the_boundary_and_have_the_mean_value_property(error, function, source, inside):
    assert error() < 1e-11
    x, y = (column.ravel() for column in np.meshgrid(*[np.linspace(-0.47, 0.47, 61)] * 2))
    assert harmonic.mean_value_gap(function, x, y, source, inside(x, y)) < 1e-11


def test_the_screened_solution_meets_its_boundary():
    assert screened.screened_error() < 1e-10
    s, one = np.linspace(-1, 1, 41), np.ones(41)
    for x, y in ((s, one), (s, -one), (one, s), (-one, s)):
        assert np.abs(screened.screened(x, y) - screened.OUTSIDE).max() < 1e-14


@pytest.mark.long
def test_the_cavity_agrees_with_a_lower_degree():
    x, y = (column.ravel() for column in np.meshgrid(*[np.linspace(0, 1, 41)] * 2))
    found, other = cavity.cavity(x, y), cavity.cavity(x, y, degree=32)
    assert max(np.abs(found[name] - other[name]).max() for name in "uv") < 2e-5
