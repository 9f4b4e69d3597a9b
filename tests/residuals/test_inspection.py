"""What is found out about residuals at their points: rows that see other points, and points that are singular."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import pinnlab
from pinnlab.collocation import Grid
from pinnlab.collocation.datamodule import Collocation
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval, PointSet
from pinnlab.networks import MLP
from pinnlab.residuals import Residuals
from pinnlab.residuals.inspection import inspect
from pinnlab.training import Adam, GaussNewton

LINE = Interval(x=(0.1, 1))
ENGINES = [NTP(), Autograd()]
OPERATOR = torch.randn(20, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class Example(Equation):
    inputs, outputs = ("x",), ("u",)

    def __init__(self, residual, region=LINE, points=20):
        super().__init__()
        self.given = region, residual, points
        self.nu = Unknown(0.5)

    def constraints(self):
        region, residual, points = self.given
        return {
            "inside": Constraint(region, residual, points=points),
            "start": Constraint(PointSet(x=[0.1]), lambda u: u - 1),
        }


@pytest.fixture(params=ENGINES, ids=["jets", "autograd"])
def engine(request):
    return request.param


def inspected(residual, engine, region=LINE, points=20, network=None, sampler=None):
    torch.manual_seed(0)
    equation = Example(residual, region, points)
    data = Collocation(sampler=sampler)
    data.bind(equation.constraints())
    residuals = Residuals(network or MLP(1, 1, 6, 2), equation, engine)
    state = {name: value.clone() for name, value in residuals.state_dict().items()}
    draws = torch.random.get_rng_state()
    inspect(residuals, data.batch(0))
    assert all(torch.equal(value, state[name]) for name, value in residuals.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), draws)


MIXED = {
    "mean": lambda u: u - 3 * u.mean(),
    "sum": lambda u: u - torch.sum(u) / 20,
    "mean of values": lambda u: u - u.value.mean(),
    "running sum": lambda u: torch.cumsum(u, 0),
    "operator": lambda u: OPERATOR @ u,
    "reversed": lambda u: u - u.flip(0),
    "first": lambda u: u - u[0],
    "part": lambda u: u[:5],
    "shifted": lambda u: u - u.roll(1),
    "sorted": lambda u: u.sort()[0],
    "softmax": lambda u: torch.softmax(u, 0),
    "largest": lambda u: u - u.max(),
    "norm": lambda u: u / u.norm(),
    "kernel": lambda x, u: torch.exp(-((x[:, None] - x[None]) ** 2)) @ u,
    "number of points": lambda u: u / len(u),
    "order of points": lambda u: u * torch.arange(len(u)),
    "numpy's order of points": lambda u: np.linspace(0, 1, len(u)) * u,
    "loop": lambda u: sum(v for v in u) - u,
    "at some points": lambda x, u: torch.where(x < 0.5, u, u / len(u)),
    "under a derivative": lambda x, u: u.d(x, x) - len(u) * u.d(x),
    "one component": lambda x, u: (u, u.d(x) - u.mean()),
}


@pytest.mark.parametrize("residual", MIXED.values(), ids=MIXED)
def test_rows_that_see_other_points_are_refused(residual, engine):
    with pytest.raises(UserError, match=r"constraint 'inside'.*a residual may use only the values at its own point"):
        inspected(residual, engine)


def test_data_columns_are_no_way_around(engine):
    data = PointSet(x=np.linspace(0.1, 1, 20), m=np.linspace(0, 1, 20))
    for residual in (lambda u, m: u - m / m.max(), lambda u, m: u - m.mean(), lambda u, m: u - m.cumsum(0)):
        with pytest.raises(UserError, match="own point"):
            inspected(residual, engine, data)
    inspected(lambda u, m: u - m, engine, data)


@pytest.mark.parametrize("count", [1010, 20])
def test_a_tensor_for_the_points_of_the_dry_run_is_refused_as_well(engine, count):
    with pytest.raises(UserError, match="own point"):
        inspected(lambda u: u * torch.ones(count), engine)


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(6), nn.BatchNorm1d(6, track_running_stats=False)])
def test_networks_that_mix_points_are_refused(layer):
    network = nn.Sequential(nn.Linear(1, 6), layer, nn.Tanh(), nn.Linear(6, 1)).double()
    with pytest.raises(UserError, match=r"the network mixes points.*BatchNorm"):
        inspected(lambda x, u: u.d(x) + u, Autograd(), network=network)


@pytest.mark.parametrize("points", [1, 2, 3, 20])
def test_rows_of_their_own_point_pass(engine, points):
    for residual in (
        lambda u: u,
        lambda x, u, nu: u.d(x, x) - nu * u * u.d(x) + torch.exp(x),
        lambda x, u: torch.stack([u, u.d(x)]).square().sum(0),
        lambda x, u: (u, torch.where(x < 0.5, u, u.d(x))),
        lambda x, u: torch.softmax(torch.stack([u, x], -1), -1)[:, 0],
    ):
        inspected(residual, engine, points=points)


class Exact(nn.Module):
    """A network whose rows are rounding errors."""

    def __init__(self, own=0.0):
        super().__init__()
        self.own = nn.Linear(1, 1).double()
        self.factor = own

    def forward(self, x):
        return torch.exp(torch.sin(3 * x)) + self.factor * self.own(x)


def test_rounding_is_no_sight_of_other_points(engine):
    def rounded(x, u):
        return (u.d(x, x) - u * (9 * torch.cos(3 * x) ** 2 - 9 * torch.sin(3 * x))) * 1e6

    inspected(rounded, engine, network=Exact())


def test_random_layers_are_left_alone(engine):
    network = nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Dropout(0.5), nn.Linear(6, 1)).double()
    inspected(lambda x, u: u.d(x) + u, engine, network=network)


SINGULAR = {
    "division": lambda x, u: u.d(x, x) + u.d(x) / x + 4,
    "logarithm": lambda x, u: u - torch.log(x),
    "reciprocal": lambda x, u: x**-1 * u,
    "root of a negative": lambda x, u: torch.sqrt(x - 1e-12) * u,
    "slope of a root": lambda x, u: torch.sqrt(x).d(x) * u,
}


@pytest.mark.parametrize("residual", SINGULAR.values(), ids=SINGULAR)
def test_a_singular_point_is_named(residual, engine):
    with pytest.raises(UserError, match=r"'inside': the residual is (NaN|infinite) at x = 0 .*leave the point"):
        inspected(residual, engine, Interval(x=(0, 1)), sampler=Grid())


def test_all_coordinates_of_a_singular_point_are_named(engine):
    class Plane(Example):
        inputs = ("x", "y")

        def constraints(self):
            return {"inside": super().constraints()["inside"]}

    region = PointSet(x=[0.5, 0.0, 0.0], y=[0.0, 0.0, 1.0])
    residuals = Residuals(MLP(2, 1, 4, 1), Plane(lambda x, y, u: u / torch.sqrt(x**2 + y**2), region), engine)
    with pytest.raises(UserError, match=r"(NaN|infinite) at x = 0, y = 0 before"):
        inspect(residuals, {"inside": region.place(3, None)})


@pytest.mark.parametrize(
    "residual",
    [
        lambda x, u: torch.where(x == 0, u, u / x),
        lambda x, u: torch.where(x == 0, 2 * u.d(x, x), u.d(x, x) + u.d(x) / x),
        lambda x, u: torch.sqrt(x * u**2),
    ],
)
def test_a_gradient_that_is_not_finite_is_named(residual, engine):
    with pytest.raises(UserError, match=r"'inside': the residual is finite at x = 0 but not its gradient"):
        inspected(residual, engine, Interval(x=(0, 1)), sampler=Grid())


def test_a_denominator_kept_from_zero_is_fine(engine):
    def residual(x, u):
        return torch.where(x == 0, 2 * u.d(x, x), u.d(x, x) + u.d(x) / torch.where(x == 0, 1.0, x)) + 4

    inspected(residual, engine, Interval(x=(0, 1)), sampler=Grid())


@pytest.mark.parametrize("phase", [Adam(3), GaussNewton(3)])
def test_refusals_come_before_training(engine, phase):
    for residual, message in ((MIXED["number of points"], "own point"), (SINGULAR["division"], "x = 0")):
        equation = Example(residual, Interval(x=(0, 1)))
        with pytest.raises(UserError, match=message):
            pinnlab.solve(equation, engine=engine, phases=[phase], sampler=Grid())
    assert math.isfinite(pinnlab.solve(Example(lambda x, u: u.d(x)), engine=engine, phases=[phase]).history["loss"][-1])
