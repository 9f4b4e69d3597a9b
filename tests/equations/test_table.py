"""Coefficients from tables: the spline's values and derivatives under every engine, and what is refused."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from scipy.interpolate import make_interp_spline

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Table
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.jets import IndexSet
from pinnlab.networks import MLP
from pinnlab.precision import DoubleDouble, doubled
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.training import GaussNewton

ENGINES = {"jets": NTP(), "partitions": NTP("faa_di_bruno"), "autograd": Autograd()}
KNOTS = np.linspace(0, 2, 9) ** 1.2
VALUES = np.sin(3 * KNOTS) + KNOTS
X, Y = np.linspace(0, 1, 7) ** 1.3, np.linspace(-1, 2, 8)
SURFACE = np.sin(2 * X)[:, None] * np.cos(Y) + 0.1 * np.arange(56).reshape(7, 8) % 0.3


@pytest.fixture(params=ENGINES.values(), ids=ENGINES)
def engine(request):
    return request.param


def fields(engine, order, dimension=1, n=40):
    torch.manual_seed(0)
    names = "xy"[:dimension]
    points = {name: 0.98 * torch.rand(n) + 0.01 for name in names}
    return engine.fields(MLP(dimension, 1, 5, 2), points, ("u",), IndexSet.simplex(dimension, order))


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_derivatives_are_the_splines(engine, degree):
    k, truth = Table(KNOTS, VALUES, degree), make_interp_spline(KNOTS, VALUES, k=degree)
    x = fields(engine, degree)["x"]
    for order in range(degree + 1):
        found = k(x).derivative((order,)).detach().numpy()
        np.testing.assert_allclose(found, truth(x.value.detach().numpy(), nu=order), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(k(KNOTS).numpy(), VALUES, atol=1e-12)


@pytest.mark.parametrize("degree", [1, 3, 4])
def test_a_grid_is_interpolated_axis_by_axis(engine, degree):
    k = Table((X, Y), SURFACE, degree)
    f = fields(engine, 2, 2)
    found = k(f["x"], f["y"])
    across = make_interp_spline(X, SURFACE, k=degree, axis=0)

    def truth(x, y, i, j):
        return make_interp_spline(Y, across(x, nu=i), k=degree)(y, nu=j)

    for i, j in ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0)):
        if max(i, j) <= degree:
            points = zip(f["x"].value.tolist(), f["y"].value.tolist(), strict=True)
            expected = [truth(x, y, i, j) for x, y in points]
            np.testing.assert_allclose(found.derivative((i, j)).detach().numpy(), expected, rtol=1e-9, atol=1e-9)


def test_arguments_may_be_expressions(engine):
    """The chain rule, against differences of the values."""
    k = Table(KNOTS, VALUES, 5)
    f = fields(engine, 3, 2)
    x, y = f["x"], f["y"]

    def composed(x, y):
        return k(0.7 + 0.5 * torch.sin(x * y) + 0.2 * x) * y

    field, h = composed(x, y), 1e-4
    a, b = x.value.detach(), y.value.detach()
    slope = (composed(a + h, b) - composed(a - h, b)) / (2 * h)
    mixed = (composed(a + h, b + h) - composed(a + h, b - h) - composed(a - h, b + h) + composed(a - h, b - h)) / (
        4 * h * h
    )
    torch.testing.assert_close(field.d(x).value.detach(), slope, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(field.d(x, y).value.detach(), mixed, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(k(0.5 + 0 * x).value, k(np.full(40, 0.5)))


class Flux(Equation):
    """((1 + k(x)) u')' = k(u) on [0, 1], k a table of the coordinate, and of the unknown function itself."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, residual=None, region=None, table=None, **options):
        super().__init__()
        self.k = Table(KNOTS, VALUES) if table is None else table
        self.given = residual, region or Interval(x=(0, 1)), options

    def constraints(self):
        residual, region, options = self.given
        return {"flux": Constraint(region, residual or self.residual, points=9, **options)}

    def residual(self, x, u):
        return ((1 + self.k(x)) * u.d(x)).d(x) - self.k(1 + 0.1 * torch.sin(u))


class Scaled(torch.nn.Module):
    """A network with a parameter outside of linear layers, whose Jacobian goes through vmap."""

    def __init__(self):
        super().__init__()
        self.inner, self.scale = MLP(1, 1, 5, 2), torch.nn.Parameter(torch.tensor(1.5))

    def forward(self, x):
        return self.scale * self.inner(x)


@pytest.mark.parametrize("build", [lambda: MLP(1, 1, 5, 2), Scaled], ids=["copies", "vmap"])
def test_jacobians_reach_through_a_table(engine, build):
    network = build()
    equation = Flux()
    residuals = Residuals(network, equation, engine)
    points = {"flux": {"x": torch.rand(6)}}
    parameters = {name: p for name, p in residuals.named_parameters() if name.startswith("network.")}
    rows = Linearisation(residuals, parameters, points)

    expected = []
    for row in Residuals(network, equation, NTP())(points)["flux"].flatten():
        slopes = torch.autograd.grad(row, list(parameters.values()), retain_graph=True, materialize_grads=True)
        expected.append(torch.cat([slope.flatten() for slope in slopes]))
    torch.testing.assert_close(rows.jacobian().dense(), torch.stack(expected), rtol=1e-8, atol=1e-10)


def test_a_coefficient_from_a_table_solves_the_equation(engine):
    class Conductor(Equation):
        """(k u')' = 0, u(0) = 0, u(1) = 1 with k = exp x: u = (1 − exp(−x)) / (1 − 1/e)."""

        inputs, outputs = ("x",), ("u",)

        def __init__(self):
            super().__init__()
            self.k = Table(np.linspace(0, 1, 51), np.exp(np.linspace(0, 1, 51)))

        def constraints(self):
            line = Interval(x=(0, 1))
            return {
                "flux": Constraint(line, lambda x, u: (self.k(x) * u.d(x)).d(x), points=30),
                "left": Constraint(line.face("x", 0), lambda u: u),
                "right": Constraint(line.face("x", 1), lambda u: u - 1),
            }

    found = pinnlab.solve(Conductor(), lambda i, o: MLP(i, o, 10, 2), engine=engine, phases=[GaussNewton(15)])
    assert float(found(x=0.5)) == pytest.approx((1 - math.exp(-0.5)) / (1 - math.exp(-1)), abs=1e-6)


def test_derivatives_beyond_the_degree_are_refused(engine):
    for degree, order in ((1, 1), (3, 3)):
        k = Table(KNOTS, VALUES, degree)
        Residuals(MLP(1, 1, 5, 1), Flux(lambda x, u, k=k, n=order: k(x).d(*[x] * n) * u), engine)
        with pytest.raises(UserError, match=r"constraint 'flux': a derivative .* contains table\(…\)"):
            Residuals(MLP(1, 1, 5, 1), Flux(lambda x, u, k=k, n=order: k(x).d(*[x] * (n + 1)) * u), engine)
        Residuals(MLP(1, 1, 5, 1), Flux(lambda x, u, k=k: k(x) * u, sobolev=[1.0] * (degree + 1)), engine)
        with pytest.raises(UserError, match=r"Sobolev rows of order"):
            Residuals(MLP(1, 1, 5, 1), Flux(lambda x, u, k=k: k(x) * u, sobolev=[1.0] * (degree + 2)), engine)


def test_points_outside_of_the_table_are_refused(engine):
    with pytest.raises(UserError, match=r"'flux': the residual is NaN at x = 2\..*a Table outside of its range"):
        pinnlab.solve(Flux(region=Interval(x=(0, 3))), engine=engine, phases=[GaussNewton(2)])
    k = Table((X, Y), SURFACE)
    for outside in ((1.5, 0.0), (0.5, np.array([0.0, 2.1])), (-1e-3, 0)):
        with pytest.raises(UserError, match=r"a Table over \[0, 1\] × \[-1, 2\] has no values outside of it"):
            k(*outside)


def test_values_on_the_ends_are_inside(engine):
    x = {"x": torch.tensor([0.0, KNOTS[-1], KNOTS[-1] * (1 + 1e-16)], dtype=torch.float64)}
    f = engine.fields(MLP(1, 1, 5, 1), x, ("u",), IndexSet.simplex(1, 1))
    assert Table(KNOTS, VALUES)(f["x"]).d(f["x"]).value.isfinite().all()


def test_double_double_arguments_keep_their_digits():
    k = Table(KNOTS, VALUES)
    x = doubled(torch.rand(5))
    with torch.no_grad():
        found = k(x)
    assert isinstance(found, DoubleDouble)
    torch.testing.assert_close(found.high, k(x.high))


def test_a_table_is_no_parameter_and_survives_copies():
    equation = Flux()
    assert not list(equation.parameters()) and not equation.state_dict()
    for twin in (copy.deepcopy(equation.k), pickle.loads(pickle.dumps(equation.k))):
        assert torch.equal(twin(np.array([0.3, 0.7])), equation.k(np.array([0.3, 0.7])))
    assert equation.k.to(torch.float32)(torch.rand(3, dtype=torch.float32)).dtype == torch.float32
    assert "degree=3" in repr(equation.k)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("increasing", ([0, 1, 1, 2], [1, 2, 3, 4])),
        ("increasing", ([3, 2, 1, 0], [1, 2, 3, 4])),
        ("increasing", (np.zeros((2, 2)), [1, 2, 3, 4])),
        ("finite", ([0, 1, 2, math.inf], [1, 2, 3, 4])),
        ("finite", ([0, 1, 2, 3], [1, 2, math.nan, 4])),
        ("real ones", ([0, 1, 2, 3], [1, 2, 3j, 4])),
        (r"shape \(4,\) of its axes, not \(3,\)", ([0, 1, 2, 3], [1, 2, 3])),
        (r"shape \(4, 5\)", ((range(4), range(5)), np.zeros((5, 4)))),
        ("at least 4 knots", ([0, 1, 2], [1, 2, 3])),
        ("axis 2 has 3", ((range(4), range(3)), np.zeros((4, 3)))),
        ("degree", ([0, 1], [0, 1], 0)),
        ("degree", ([0, 1], [0, 1], 1.5)),
    ],
)
def test_bad_tables_are_refused(message, arguments):
    with pytest.raises(UserError, match=message) as caught:
        Table(*arguments)
    assert "\n" not in str(caught.value)


def test_the_number_of_arguments_is_checked():
    with pytest.raises(UserError, match=r"has 2 argument\(s\), and 1"):
        Table((X, Y), SURFACE)(0.5)
