"""Series of implicitly defined functions, against mpmath, known series and the law F(x, y(x)) = 0."""

import mpmath
import pytest
import torch
from hypothesis import given

from pinnlab.errors import UserError
from pinnlab.jets import Collapsed, IndexSet, Jet, implicit
from pinnlab.precision import doubled
from tests.jets.cases import jets, same

LINE, PLANE = IndexSet.simplex(1, 7), IndexSet.simplex(2, 4)


def line(*points, indices=LINE):
    return Jet.seed(torch.tensor(points)[:, None], indices).coordinate(0)


def taylor(function, point, order=7):
    with mpmath.workdps(60):
        return [float(c) for c in mpmath.taylor(function, mpmath.mpf(point), order)]


def kepler(anomaly):
    return mpmath.findroot(lambda E: E - mpmath.mpf(0.3) * mpmath.sin(E) - anomaly, anomaly)


# name ↦ (F, a start, the function of mpmath)
KNOWN = {
    "lambert": (lambda x, w: w * torch.exp(w) - x, 0.5, mpmath.lambertw),
    "kepler": (lambda x, E: E - 0.3 * torch.sin(E) - x, 1.0, kepler),
    "cubic": (lambda x, y: y + y**3 - x, 0.5, lambda x: mpmath.findroot(lambda y: y + y**3 - x, 0.5)),
    "logarithm": (lambda x, y: torch.exp(y) - x, 0.0, mpmath.log),
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_series_are_those_of_mpmath(name):
    equation, start, function = KNOWN[name]
    points = (0.4, 1.0, 1.7)
    y = implicit(equation, line(*points), torch.tensor(start))
    truth = torch.tensor([taylor(function, point) for point in points]).T
    torch.testing.assert_close(y.coefficients, truth, rtol=1e-12, atol=1e-13)


def test_the_cubic_has_its_known_series_at_zero():
    y = implicit(lambda x, y: y + y**3 - x, line(0.0), torch.zeros(1))
    torch.testing.assert_close(y.coefficients[:, 0], torch.tensor([0.0, 1, 0, -1, 0, 3, 0, -12]), rtol=0, atol=1e-13)


def test_a_function_of_two_variables():
    seed = Jet.seed(torch.tensor([[0.3, -0.5], [0.8, 0.1]]), PLANE)
    x, y = seed.coordinate(0), seed.coordinate(1)
    z = implicit(lambda x, y, z: x**2 + y**2 + z**2 - 3, (x, y), torch.ones(2))
    same(z, torch.sqrt(3 - x**2 - y**2), 1e-13)
    lower = implicit(lambda x, y, z: x**2 + y**2 + z**2 - 3, (x, y), -torch.ones(2))
    same(lower, -z, 1e-13)


def test_several_unknowns():
    seed = Jet.seed(torch.tensor([[0.3, 0.5], [-0.8, 0.1]]), PLANE)
    x, y = seed.coordinate(0), seed.coordinate(1)
    start = (torch.ones(2), torch.tensor([0.8, 3.0]))
    r, angle = implicit(lambda x, y, r, angle: (r * torch.cos(angle) - x, r * torch.sin(angle) - y), (x, y), start)
    same(r, torch.hypot(x, y), 1e-12)
    same(angle, torch.atan2(y, x), 1e-12)


@given(jets(2))
def test_the_equation_holds_in_all_coefficients(uv):
    u, v = uv

    def equation(u, v, y):
        return y + torch.tanh(y * v) - u * torch.exp(-v)

    y = implicit(equation, (u, v), torch.zeros(3))
    assert y.indices is u.indices
    assert float(equation(u, v, y).coefficients.abs().max()) < 1e-11


def test_one_point_in_double_double_numbers():
    with torch.no_grad(), mpmath.workdps(60):
        x = line(0.4, 1.0)
        x = x.like(doubled(x.coefficients))
        w = implicit(lambda x, w: w * torch.exp(w) - x, x, torch.tensor(0.5))
        for i, point in enumerate((0.4, 1.0)):
            truth = mpmath.taylor(mpmath.lambertw, mpmath.mpf(point), LINE.order)
            for k, value in enumerate(truth):
                high, low = (mpmath.mpf(float(part[k, i])) for part in (w.coefficients.high, w.coefficients.low))
                assert abs(high + low - value) < 1e-28 * max(1, abs(value))


def test_gradients_for_parameters():
    a = torch.tensor([0.7, 1.2], requires_grad=True)
    x = line(0.4, 1.0, indices=IndexSet.simplex(1, 3))
    assert torch.autograd.gradcheck(lambda a: implicit(lambda x, y: y + a * y**3 - x, x, x.value).coefficients, (a,))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_gradients_at_low_orders(order):
    a = torch.tensor([0.7], requires_grad=True)
    x = line(0.4, indices=IndexSet.simplex(1, order))
    assert torch.autograd.gradcheck(lambda a: implicit(lambda x, y: y + a * y**3 - x, x, x.value).coefficients, (a,))


@pytest.mark.parametrize(
    ("equation", "start"),
    [
        (lambda x, y: y**2 - x, torch.ones(1)),  # a double root, which Newton's iteration nears forever
        (lambda x, y: y**2 - x, torch.zeros(1)),  # F = 0 and ∂F/∂y = 0
        (lambda x, y: y**2 + 1 - x, torch.ones(1)),  # no root
        (lambda x, y: torch.atan(y) - x, torch.tensor([5.0])),  # a start that is too far
        (lambda x, y: 0 * y + x + 1, torch.ones(1)),  # y does not matter
    ],
)
def test_where_there_is_no_simple_root_it_says_so(equation, start):
    with pytest.raises(UserError, match="no simple root of F near the start"):
        implicit(equation, line(0.0), start)


def test_bad_input_is_one_line():
    x = line(0.5)
    with pytest.raises(UserError, match="a jet for each unknown: 1 in all"):
        implicit(lambda x, y: (y - x, y + x), x, torch.ones(1))
    with pytest.raises(UserError, match="a jet for each unknown: 1 in all"):
        implicit(lambda x, y: 0.0, x, torch.ones(1))
    with pytest.raises(UserError, match="does not carry it"):
        implicit(lambda x, y: y - x.differentiate(0), x, torch.ones(1))
    with pytest.raises(UserError, match="every jet that it uses as an argument"):
        implicit(lambda _, y: y - x, x, torch.ones(1))
    with pytest.raises(UserError, match="one index set"):
        implicit(lambda x, z, y: y - x - z, (x, line(0.5, indices=IndexSet.simplex(1, 2))), torch.ones(1))
    collapsed = Jet.seed(torch.rand(1, 2), Collapsed.over([0, 1], [], 2))[:, 0]
    with pytest.raises(UserError, match="one index set"):
        implicit(lambda x, y: y - x, collapsed, torch.ones(1))
