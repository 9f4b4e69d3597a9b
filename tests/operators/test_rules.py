"""Quadrature rules: their degrees of exactness, rates of convergence, products and finer rules."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pinnlab.errors import UserError
from pinnlab.operators import GaussHermite, GaussLegendre, PeriodicTrapezoid, SinhTrapezoid, TanTrapezoid

RULES = {
    "gauss-legendre": lambda n: GaussLegendre(x=(-1, 0.3, 2), nodes=n, panels=2),
    "gauss-legendre-power": lambda n: GaussLegendre(x=(1, 2), nodes=n, power=0.5),
    "periodic": lambda n: PeriodicTrapezoid(x=(-1, 2), nodes=n),
    "sinh": lambda n: SinhTrapezoid(x=(-1e3, 2e3), nodes=n + 1),
    "tan": lambda n: TanTrapezoid(x=(0.5, 2), nodes=n + 1),
    "gauss-hermite": lambda n: GaussHermite(x=(0.5, 2), nodes=n),
}


def integral(rule, function):
    return float((rule.weights * function(rule.nodes["x"])).sum())


def slope(counts, errors):
    """The exponent p of errors that fall like count^p."""
    return np.polyfit(np.log(counts), np.log(errors), 1)[0]


@given(st.integers(1, 12), st.lists(st.floats(0.1, 2), min_size=1, max_size=3), st.integers(1, 3), st.integers(0, 5))
def test_gauss_legendre_is_exact_to_degree_2n_minus_1_and_not_beyond(n, lengths, panels, seed):
    ends = np.concatenate([[-0.7], -0.7 + np.cumsum(lengths)])
    rule = GaussLegendre(x=ends, nodes=n, panels=panels)
    scale = ends[-1] - ends[0]
    p = np.polynomial.Polynomial(np.random.default_rng(seed).normal(size=2 * n), domain=[ends[0], ends[-1]])
    exact = p.integ()(ends[-1]) - p.integ()(ends[0])
    size = np.abs(p.coef).sum() * scale
    assert integral(rule, lambda x: torch.from_numpy(p(x.numpy()))) == pytest.approx(exact, abs=1e-12 * size)
    if len(ends) == 2 and panels == 1 and n <= 6:
        monic = (2 * scale / 4) ** (2 * n + 1) * 2 ** (2 * n + 1) * math.factorial(n) ** 4
        error = monic / ((2 * n + 1) * math.factorial(2 * n) ** 2)  # of x^{2n}: the formula's error term
        shifted = integral(rule, lambda x: (x - ends[0]) ** (2 * n))
        assert scale ** (2 * n + 1) / (2 * n + 1) - shifted == pytest.approx(error, rel=1e-5)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_gauss_legendre_panels_converge_with_order_2n(n):
    panels = [4, 8, 16]
    errors = [
        abs(integral(GaussLegendre(x=(0, 2), nodes=n, panels=p), lambda x: (2 * x).sin()) - math.sin(2) ** 2)
        for p in panels
    ]
    assert slope(panels, errors) == pytest.approx(-2 * n, abs=0.1)


@pytest.mark.parametrize("power", [0.5, 1 / 3, 0.7])
def test_a_power_integrates_polynomials_of_that_power(power):
    rule = GaussLegendre(x=(1, 3), nodes=20, power=power)
    for k in range(6):
        exact = 2 ** (1 + k * power) / (1 + k * power)
        # the weight s^{1/β − 1} is a polynomial for β = 1/m alone
        tolerance = 1e-12 if power != 0.7 else 1e-4
        assert integral(rule, lambda x, k=k: (x - 1) ** (k * power)) == pytest.approx(exact, rel=tolerance)


@pytest.mark.parametrize("n", [5, 8])
def test_the_periodic_rule_is_exact_below_n_waves_and_aliases_at_n(n):
    rule = PeriodicTrapezoid(x=(-1, 2), nodes=n)
    for k in range(n):
        expected = 3.0 if k == 0 else 0.0
        assert integral(rule, lambda x, k=k: (2 * math.pi * k * (x + 1) / 3).cos()) == pytest.approx(
            expected, abs=1e-13
        )
    assert integral(rule, lambda x: (2 * math.pi * n * (x + 1) / 3).cos()) == pytest.approx(-3.0)


def test_trapezoids_converge_exponentially():
    def error(rule, function, exact):
        return abs(integral(rule, function) - exact)

    counts = np.array([8, 12, 16, 20])
    circle = [
        error(
            PeriodicTrapezoid(x=(0, 2 * math.pi), nodes=int(n)),
            lambda x: 1 / (1.5 + x.cos()),
            2 * math.pi / math.sqrt(1.25),
        )
        for n in counts
    ]
    # the pole of 1/(a + cos x) has the imaginary part arcosh a, and each node gains its factor
    assert np.polyfit(counts, np.log(circle), 1)[0] == pytest.approx(-math.acosh(1.5), rel=1e-3)
    counts = np.array([64, 80, 96, 112])
    line = [error(SinhTrapezoid(x=(-1e20, 1e20), nodes=int(n)), lambda x: 1 / (1 + x * x), math.pi) for n in counts]
    # in z the integrand is 1/cosh z with poles at ±iπ/2: exp(−2π (π/2)/h), h = 2Z/n
    rate = -(math.pi**2) / (2 * math.asinh(1e20))
    assert np.polyfit(counts, np.log(line), 1)[0] == pytest.approx(rate, rel=0.02)


@pytest.mark.parametrize("n", [3, 10, 41])
def test_the_tan_rule_is_exact_for_rational_functions(n):
    """∫ (1 + ξ²)^{−k} dx = σ π (2k − 3)!!/(2k − 2)!!, ξ = (x − c)/σ, for k ≤ n."""
    rule = TanTrapezoid(x=(0.5, 2), nodes=n)
    for k in range(1, min(n, 20) + 1):
        exact = 2 * math.sqrt(math.pi) * math.gamma(k - 0.5) / math.gamma(k)
        assert integral(rule, lambda x, k=k: (1 + ((x - 0.5) / 2) ** 2) ** -k) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("n", [3, 10, 40])
def test_gauss_hermite_is_exact_to_degree_2n_minus_1(n):
    rule = GaussHermite(x=(0.5, 2), nodes=n)
    for k in range(0, min(2 * n, 30), 2):
        moment = 2 * math.gamma((k + 1) / 2)
        value = integral(rule, lambda x, k=k: ((x - 0.5) / 2) ** k * torch.exp(-(((x - 0.5) / 2) ** 2)))
        assert value == pytest.approx(moment, rel=1e-12)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("n", range(1, 24))
def test_a_finer_rule_has_more_nodes_and_none_in_common(rule, n):
    coarse = rule(n)
    fine = coarse.finer()
    x, y = coarse.nodes["x"], fine.nodes["x"]
    assert len(y) > len(x) and fine.bounds == coarse.bounds and type(fine) is type(coarse)
    gap = (x[:, None] - y).abs().min()
    assert gap > 1e-10 * (y[1:] - y[:-1]).min()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_nodes_increase_within_the_bounds_and_weights_are_positive(rule):
    rule = rule(9)
    x, (lower, upper) = rule.nodes["x"], rule.bounds["x"]
    assert x.dtype == rule.weights.dtype == torch.float64
    assert (x.diff() > 0).all() and (rule.weights > 0).all() and lower < x[0] and x[-1] < upper


def test_a_product_has_all_pairs_with_the_last_axis_fastest():
    t, x = GaussLegendre(t=(0, 1), nodes=3), PeriodicTrapezoid(x=(0, 2), nodes=4)
    both = t * x
    assert both.names == ("t", "x") and both.bounds == {"t": (0, 1), "x": (0, 2)}
    for i in range(3):
        for j in range(4):
            node = 4 * i + j
            assert both.nodes["t"][node] == t.points[i] and both.nodes["x"][node] == x.points[j]
            assert both.weights[node] == t.weights[i] * x.weights[j]
    assert [len(factor.points) for factor in both.finer().factors] == [6, 7]
    assert (both * GaussHermite(y=(0, 1), nodes=2)).names == ("t", "x", "y")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: GaussLegendre(), "takes one axis"),
        (lambda: GaussLegendre(x=(0, 1), y=(0, 1)), "several axes are a product"),
        (lambda: GaussLegendre(x=(1, 0)), "in increasing order"),
        (lambda: GaussLegendre(x=(0, math.inf)), "finite numbers"),
        (lambda: GaussLegendre(x=3), "two or more"),
        (lambda: GaussLegendre(x=(0, 1), nodes=0), "nodes must be an integer of at least 1"),
        (lambda: GaussLegendre(x=(0, 1), nodes=4.0), "nodes must be an integer"),
        (lambda: GaussLegendre(x=(0, 1), panels=True), "panels must be an integer"),
        (lambda: GaussLegendre(x=(0, 1), power=0), "power must be a finite number greater than 0"),
        (lambda: PeriodicTrapezoid(x=(0, 1, 2)), "must be two numbers"),
        (lambda: SinhTrapezoid(x=(-1, 1), nodes=1), "at least 2"),
        (lambda: SinhTrapezoid(x=(-1, 1), scale=-1.0), "scale must be"),
        (lambda: TanTrapezoid(x=(0, math.nan)), "centre and the scale"),
        (lambda: TanTrapezoid(x=(0, -1)), "the scale must be"),
        (lambda: GaussHermite(x=3), "centre and the width"),
        (lambda: GaussHermite(x=(0, 0)), "GaussHermite: x: the width must be"),
        (lambda: GaussHermite(x=(0, 1), nodes=400), "underflow"),
        (lambda: GaussLegendre(x=(0, 1)) * GaussLegendre(x=(0, 1)), "occurs twice"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_wrong_input_is_refused_with_one_line(wrong, message):
    with pytest.raises(UserError, match=message) as error:
        wrong()
    assert "\n" not in str(error.value)
