"""Whole-grid operators against slow obvious references, their laws, and their rates of convergence."""

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from pinnlab.operators import (
    Antiderivative,
    Caputo,
    Convolution,
    Fredholm,
    GaussLegendre,
    HilbertOnCircle,
    HilbertOnLine,
    Integral,
    PeriodicTrapezoid,
    SinhTrapezoid,
    TanTrapezoid,
    Volterra,
)


def slope(counts, errors):
    """The exponent p of errors that fall like count^p."""
    return np.polyfit(np.log(counts), np.log(errors), 1)[0]


@given(st.integers(2, 10), st.integers(1, 3), st.integers(0, 5))
def test_the_antiderivative_is_exact_for_polynomials_of_each_panel(n, panels, seed):
    rule = GaussLegendre(x=(-1, 2), nodes=n, panels=panels)
    x, operator = rule.nodes["x"], Antiderivative(rule)
    breaks = np.linspace(-1, 2, panels + 1)
    random = np.random.default_rng(seed)
    values, expected, total = [], [], 0.0
    for p in range(panels):
        piece = np.polynomial.Polynomial(random.normal(size=n), domain=breaks[p : p + 2])
        integral = piece.integ(lbnd=breaks[p])
        own = x[p * n : (p + 1) * n].numpy()
        values.append(piece(own))
        expected.append(total + integral(own))
        total += integral(breaks[p + 1])
    torch.testing.assert_close(
        operator @ torch.from_numpy(np.concatenate(values)), torch.from_numpy(np.concatenate(expected))
    )


def test_the_antiderivative_of_a_derivative_is_the_function_up_to_its_start():
    rule = GaussLegendre(x=(0.5, 1, 3), nodes=16)
    x = rule.nodes["x"]
    torch.testing.assert_close(Antiderivative(rule) @ x.cos(), x.sin() - math.sin(0.5), rtol=0, atol=1e-14)


@pytest.mark.parametrize("n", [2, 3])
def test_the_antiderivative_converges_with_order_n_plus_1(n):
    """At the nodes; each panel's whole integral has the order 2n."""
    panels = [8, 16, 32]
    errors = []
    for count in panels:
        rule = GaussLegendre(x=(0, 2), nodes=n, panels=count)
        errors.append(float((Antiderivative(rule) @ rule.nodes["x"].cos() - rule.nodes["x"].sin()).abs().max()))
    assert slope(panels, errors) == pytest.approx(-(n + 1), abs=0.15)


def root(x, y):
    """Not defined for y > x."""
    return torch.sqrt(1 + x * x - y * y) * torch.exp(-y)


def test_volterra_against_adaptive_quadrature_for_each_node():
    rule = GaussLegendre(x=(0, 1, 1.5), nodes=20)
    x = rule.nodes["x"]
    found = Volterra(rule, root) @ x.cos()
    for node, value in zip(x.tolist(), found.tolist(), strict=True):
        exact, _ = quad(
            lambda y, a=node: math.sqrt(1 + a * a - y * y) * math.exp(-y) * math.cos(y), 0, node, epsabs=1e-14
        )
        assert value == pytest.approx(exact, abs=1e-12)


def test_volterra_is_the_antiderivative_of_the_product_where_the_kernel_is_smooth_everywhere():
    rule = GaussLegendre(x=(0, 1, 1.5), nodes=20)
    x = rule.nodes["x"]
    reference = Antiderivative(rule).matrix * torch.exp(x[:, None] - x)
    u = torch.cos(3 * x)
    torch.testing.assert_close(Volterra(rule, lambda x, y: torch.exp(x - y)) @ u, reference @ u, rtol=0, atol=1e-13)


def test_volterra_never_evaluates_its_kernel_beyond_the_diagonal():
    def kernel(x, y):
        assert (y <= x).all()
        return torch.ones_like(x)

    rule = GaussLegendre(x=(0, 1, 1.5), nodes=5, power=0.5)
    torch.testing.assert_close(Volterra(rule, kernel) @ torch.ones(10), rule.nodes["x"])


def test_a_volterra_equation_by_a_linear_solve():
    """u = 1 + ∫_0^x (x − y) u dy is u'' = u, u(0) = 1, u'(0) = 0: cosh."""
    rule = GaussLegendre(x=(0, 2), nodes=16)
    matrix = Volterra(rule, lambda x, y: x - y).matrix
    u = torch.linalg.solve(torch.eye(16) - matrix, torch.ones(16))
    torch.testing.assert_close(u, rule.nodes["x"].cosh(), rtol=1e-13, atol=0)


def test_a_separable_fredholm_equation_by_a_linear_solve():
    """u = e^x + ∫_0^1 x y u dy has u = e^x + 3x/2 · ∫_0^1 y e^y dy, and this integral is 1."""
    rule = GaussLegendre(x=(0, 1), nodes=12)
    x = rule.nodes["x"]
    u = torch.linalg.solve(torch.eye(12) - Fredholm(rule, lambda x, y: x * y).matrix, x.exp())
    torch.testing.assert_close(u, x.exp() + 1.5 * x, rtol=1e-13, atol=0)


@given(st.integers(2, 20), st.integers(0, 9))
def test_hilbert_on_the_circle_turns_every_mode_by_a_quarter(half, seed):
    n = 2 * half + seed % 2
    rule = PeriodicTrapezoid(x=(-1, 2), nodes=n)
    x = 2 * math.pi * (rule.nodes["x"] + 1) / 3
    operator = HilbertOnCircle(rule)
    for k in range(1, (n + 1) // 2):
        torch.testing.assert_close(operator @ (k * x).cos(), (k * x).sin(), rtol=0, atol=1e-12)
        torch.testing.assert_close(operator @ (k * x).sin(), -(k * x).cos(), rtol=0, atol=1e-12)
    assert (operator @ torch.ones(n)).abs().max() < 1e-13
    assert n % 2 or (operator @ (-1.0) ** torch.arange(n)).abs().max() < 1e-12


def test_hilbert_on_the_circle_is_the_cotangent_kernel_at_alternate_points():
    """(1/L) p.v. ∫ cot(π (x − y)/L) u dy: a trapezoid on the nodes of the other parity, a reference without FFT."""
    rule = PeriodicTrapezoid(x=(0, 3), nodes=30)
    x = rule.nodes["x"]
    order = torch.arange(30)
    odd = (order[:, None] - order) % 2 == 1
    kernel = torch.where(odd, 2 * 0.1 / 3 / torch.tan(math.pi * (x[:, None] - x) / 3), 0)
    u = torch.exp(torch.cos(2 * math.pi * x / 3))
    torch.testing.assert_close(HilbertOnCircle(rule) @ u, kernel @ u, rtol=0, atol=1e-12)


def test_hilbert_is_skew_and_twice_is_minus_the_function_without_a_mean():
    rule = PeriodicTrapezoid(x=(0, 1), nodes=21)
    matrix = HilbertOnCircle(rule).matrix
    torch.testing.assert_close(matrix, -matrix.mT)
    torch.testing.assert_close(matrix @ matrix, torch.full((21, 21), 1 / 21) - torch.eye(21))
    line = SinhTrapezoid(x=(-1e12, 1e12), nodes=480)
    x = line.nodes["x"]
    operator = HilbertOnLine(line)
    u = x / (1 + x**2) ** 2
    torch.testing.assert_close(operator @ (operator @ u), -u, rtol=0, atol=1e-11)
    weighted = line.weights[:, None] * operator.matrix  # skew in the inner product of the rule
    assert (weighted + weighted.mT).abs().max() < 1e-12 * weighted.abs().max()


def test_hilbert_on_the_line_against_the_definition():
    """(1/π) ∫_0^∞ (u(x − s) − u(x + s))/s ds by mpmath, for a bell without a closed transform of this form."""
    rule = SinhTrapezoid(x=(-1e6, 1e6), nodes=400)
    x = rule.nodes["x"]
    found = HilbertOnLine(rule) @ torch.exp(-(x**2))
    for i in (200, 212, 220, 230):
        a = mpmath.mpf(float(x[i]))
        exact = mpmath.quad(
            lambda s, a=a: (mpmath.exp(-((a - s) ** 2)) - mpmath.exp(-((a + s) ** 2))) / s, [0, 1, a + 1, a + 10]
        )
        assert float(found[i]) == pytest.approx(float(exact / mpmath.pi), abs=1e-12)


def test_hilbert_on_the_line_converges_exponentially_also_for_slow_decay():
    """f = (1 − ix)^{−1/2} is the boundary value of a function that is analytic above, so that H Re f = Im f."""
    counts, errors = np.array([60, 80, 100, 120]), []
    for n in counts:
        rule = SinhTrapezoid(x=(-1e30, 1e30), nodes=int(n))
        x = rule.nodes["x"]
        f = (1 - 1j * x) ** -0.5
        inside = x.abs() < 1e5
        errors.append(float((HilbertOnLine(rule) @ f.real - f.imag).abs()[inside].max()))
    assert errors[0] / errors[-1] > 30
    rates = np.diff(np.log(errors)) / np.diff(counts)
    assert rates.max() / rates.min() == pytest.approx(1, abs=0.4)


@pytest.mark.parametrize("n", [26, 27])
def test_hilbert_on_the_line_is_exact_for_rational_functions(n):
    """f = (1 + iξ)^k / (1 − iξ)^{k + 1} is analytic above the line: H Re f = Im f, H Im f = −Re f."""
    rule = TanTrapezoid(x=(0.5, 2), nodes=n)
    xi = (rule.nodes["x"] - 0.5) / 2
    operator = HilbertOnLine(rule)
    for k in range(12):
        f = (1 + 1j * xi) ** k / (1 - 1j * xi) ** (k + 1)
        torch.testing.assert_close(operator @ f.real, f.imag, rtol=0, atol=1e-13)
        torch.testing.assert_close(operator @ f.imag, -f.real, rtol=0, atol=1e-13)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_the_benjamin_ono_soliton_satisfies_its_equation(speed):
    """u_t + u u_x − H u_xx = 0 has u = 4c/(1 + c²ξ²), ξ = x − ct: −c u + u²/2 − H u' = 0."""
    rule = SinhTrapezoid(x=(-1e8, 1e8), nodes=320, scale=1 / speed)
    x = rule.nodes["x"]
    u = 4 * speed / (1 + (speed * x) ** 2)
    slopes = -8 * speed**3 * x / (1 + (speed * x) ** 2) ** 2
    residual = -speed * u + u**2 / 2 - HilbertOnLine(rule) @ slopes
    assert residual.abs().max() < 1e-12 * speed**2


def test_convolution_on_the_circle_multiplies_fourier_coefficients():
    rule = PeriodicTrapezoid(x=(0, 2), nodes=32)
    x = rule.nodes["x"]

    def kernel(d):
        return torch.exp(torch.sin(math.pi * d))

    u = torch.cos(torch.sin(math.pi * x))
    modes = torch.fft.rfft(kernel(x - x[0])) * torch.fft.rfft(u) * (2 / 32)
    torch.testing.assert_close(Convolution(rule, kernel) @ u, torch.fft.irfft(modes, n=32), rtol=0, atol=1e-13)


@pytest.mark.parametrize(("order", "power"), [(0.5, 0.5), (0.25, 0.25), (1 / 3, 1 / 3), (0.7, 0.7), (0.3, 0.3)])
def test_a_caputo_relaxation_is_a_mittag_leffler_function(order, power):
    """D^α u = −u: u = E_α(−t^α) = Σ_k (−t^α)^k / Γ(αk + 1)."""
    rule = GaussLegendre(t=(0, 1), nodes=16, power=power)
    u = [
        float(
            mpmath.nsum(lambda k, t=t: (-(mpmath.mpf(t) ** order)) ** k / mpmath.gamma(order * k + 1), [0, mpmath.inf])
        )
        for t in rule.nodes["t"].tolist()
    ]
    u = torch.tensor(u)
    torch.testing.assert_close(Caputo(rule, order) @ u, -u, rtol=0, atol=1e-9)


@pytest.mark.parametrize("order", [0.2, 0.5, 0.9])
def test_caputo_of_a_smooth_function_against_the_definition(order):
    """1/Γ(1 − α) ∫_0^t (t − τ)^{−α} u'(τ) dτ by quadrature with an algebraic weight."""
    rule = GaussLegendre(t=(0, 3), nodes=20)
    t = rule.nodes["t"]
    found = Caputo(rule, order) @ t.sin()
    for node, value in zip(t.tolist()[::4], found.tolist()[::4], strict=True):
        exact, _ = quad(math.cos, 0, node, weight="alg", wvar=(0, -order))
        assert value == pytest.approx(exact / math.gamma(1 - order), abs=1e-11)


@pytest.mark.parametrize(
    ("order", "power", "exponent"), [(0.7, 0.7, 1.0), (0.5, 1.0, 1.5), (0.3, 0.3, 0.5), (0.4, 0.8, 1.0)]
)
def test_caputo_of_a_power_that_does_not_fit_converges_at_the_rate_of_the_docstring(order, power, exponent):
    """The largest error for t^γ falls like n^{−2(γ − α)/β}, that of t^{γ − α} at the first node."""
    counts, errors = [10, 20, 40], []
    for n in counts:
        rule = GaussLegendre(t=(0, 1), nodes=n, power=power)
        t = rule.nodes["t"]
        exact = math.gamma(exponent + 1) / math.gamma(exponent + 1 - order) * t ** (exponent - order)
        errors.append(float((Caputo(rule, order) @ t**exponent - exact).abs().max()))
    assert slope(counts, errors) == pytest.approx(-2 * (exponent - order) / power, rel=0.1)


def test_an_integral_by_a_finer_rule_agrees():
    rule = GaussLegendre(x=(0, 1), nodes=12) * PeriodicTrapezoid(y=(0, 1), nodes=16)

    def value(rule):
        x, y = rule.nodes["x"], rule.nodes["y"]
        return float(Integral(rule) @ torch.exp(x * torch.cos(2 * math.pi * y)))

    assert value(rule) == pytest.approx(value(rule.finer()), abs=1e-13)
