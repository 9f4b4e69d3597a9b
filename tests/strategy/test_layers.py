"""Layers of a solution: where they are, the points that follow them, and inputs along which there are none."""

import math

import pytest
import torch
from torch import nn

from pinnlab.collocation import Sobol
from pinnlab.engines import NTP
from pinnlab.equations import Constraint, Equation, periodic
from pinnlab.geometry import Box, Disc, Interval, PointSet
from pinnlab.networks import Stretching
from pinnlab.residuals import Residuals
from pinnlab.strategy.features import Features, stretched
from pinnlab.strategy.layers import Spread, layers, resolved, spread, stretchable
from pinnlab.strategy.structure.bounds import unbounded
from pinnlab.strategy.structure.window import Observed
from pinnlab.strategy.trials.points import collocation
from pinnlab.training.setup.settings import default_dtype

ONE = torch.ones(1, dtype=torch.float64)


@pytest.fixture(autouse=True)
def _float64():
    with default_dtype(torch.float64):
        yield


class Front(Equation):
    """An equation on a box in (t, x), of which the solution is given below."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 2), x=(3, 7))
        return {
            "inside": Constraint(box, lambda t, x, u: u.d(t)),
            "start": Constraint(box.face("t", 0), lambda u: u),
            "walls": Constraint(box.faces("x"), lambda u: u),
            "data": Constraint(PointSet(t=[0.2, 0.7], x=[3.5, 4.5]), lambda u: u),
        }


class Function(nn.Module):
    """u(t, x) as a network."""

    def __init__(self, function):
        super().__init__()
        self.function, self.weight = function, nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return torch.stack([self.function(x[..., 0], x[..., 1])], -1)


def seen(function, old=(), **options):
    """The layers along x of a function on the box, with x scaled to [−1, 1]."""
    found = layers(Residuals(Function(function), Front(), NTP()), ONE, {1: Stretching(old)}, **options)
    assert found[0] == ()
    return found[1]


def test_a_front_is_a_layer_of_its_width():
    ((centre, width),) = seen(lambda t, x: torch.tanh((x - 5.4) / 0.04))
    # scaled: the middle is 5, the half length 2
    assert centre == pytest.approx(0.2, abs=0.02) and width == pytest.approx(0.02, rel=0.3)


def test_a_second_look_in_stretched_coordinates_is_sharper():
    truth = (0.2, 4e-3)
    first = seen(lambda t, x: torch.tanh((x - 5.4) / 8e-3))
    second = seen(lambda t, x: torch.tanh((x - 5.4) / 8e-3), old=first)
    assert min(width for _, width in second) == pytest.approx(truth[1], rel=0.25)
    nearest = min(second, key=lambda layer: layer[1])
    assert nearest[0] == pytest.approx(truth[0], abs=2e-3)


def test_two_layers_and_the_layer_at_the_end_of_time():
    def moving(t, x):
        return torch.tanh((x - 4 - t) / 0.05) + torch.tanh((6.5 - x) / 0.05)

    at_the_end = seen(moving, fixed={"t": 2.0})
    assert sorted(round(centre, 1) for centre, _ in at_the_end) == [0.5, 0.7] or len(at_the_end) >= 2
    assert any(abs(centre - 0.5) < 0.03 for centre, _ in at_the_end)
    # within all time the first has moved from -0.5 to 0.5
    centres = [centre for centre, width in seen(moving) if width < 0.2]
    assert min(centres) < -0.3 and max(centres) > 0.7


def test_smooth_functions_have_no_layers():
    assert seen(lambda t, x: torch.sin(x) * torch.exp(-t)) == ()
    assert seen(lambda t, x: x * 0 + 1.0) == ()
    # as short everywhere: stretching saves nothing
    assert seen(lambda t, x: torch.sin(60 * x)) == ()


def test_what_is_not_finite_has_none():
    assert seen(lambda t, x: torch.sqrt(x - 20)) == ()


def test_news_are_thinner_layers_or_layers_elsewhere():
    def known(*some):
        return Features(10, (1.0, 1.0), layers=((), tuple(some)))

    assert resolved(known((0.2, 0.02)), ((), ((0.2, 0.02),)))
    assert resolved(known((0.2, 0.02)), ((), ((0.21, 0.025),)))
    assert not resolved(known((0.2, 0.02)), ((), ((0.2, 0.005),)))
    assert not resolved(known((0.2, 0.02)), ((), ((0.6, 0.02),)))
    assert not resolved(Features(10, (1.0, 1.0)), ((), ((0.2, 0.02),)))
    assert resolved(Features(10, (1.0, 1.0)), ((), ())) and resolved(Features(10, (1.0, 1.0)), ())


def test_points_are_as_dense_as_the_features():
    equation = Front()
    features = Features(40, (1.0, 1.0), layers=((), ((0.2, 0.01),)))
    residuals = Residuals(Function(lambda t, x: t), equation, NTP())
    points = collocation(residuals, features)
    uniform = collocation(residuals, Features(40, (1.0, 1.0)))
    stretching = features.stretchings()[1]
    for name in ("inside", "start"):
        x = (points[name]["x"] - 5) / 2
        s = stretching(x)
        # uniform in s, and all in the region
        assert abs(float((s > 0.3).double().mean()) - 0.35) < 0.1
        assert bool(equation.constraints()[name].region.contains(points[name]).all())
        assert float(((x - 0.2).abs() < 0.02).double().mean()) > 0.1
    # what does not run along x stays
    for name in ("walls", "data"):
        assert all(torch.equal(points[name][key], uniform[name][key]) for key in "tx")
    assert stretched(equation, Features(40, (1.0, 1.0))) == {}


def test_a_region_that_cannot_follow_stays_uniform():
    disc, stretching = Disc((0, 0), 1), Stretching([(0.5, 0.05)])
    given = {"x": (stretching, -1.0, 1.0)}
    points = Sobol().sample(disc, 200, 0)
    assert torch.equal(Sobol().sample(Spread(disc, given), 200, 0)["x"], points["x"])
    inner = Box(x=(0, 0.2), y=(0, 1))
    assert torch.equal(Sobol().sample(Spread(inner, given), 200, 0)["x"], Sobol().sample(inner, 200, 0)["x"])


def test_columns_of_a_start_are_those_of_the_moved_points():
    line = Interval(x=(-1, 1))
    start = Observed(line, lambda points: {"before": 3 * points["x"]})
    given = {"x": (Stretching([(0.5, 0.05)]), -1.0, 1.0)}
    region = spread(Constraint(start, lambda u: u), given)
    points = Sobol().sample(region, 64, 0)
    assert torch.equal(points["before"], 3 * points["x"])
    assert not torch.equal(points["x"], Sobol().sample(line, 64, 0)["x"])
    assert region.dimension == 1 and region.measure == 2 and region.extent.keys() == {"x"}


class OnDisc(Equation):
    """A disc in x and y, for all times: the time alone runs freely."""

    inputs, outputs = ("t", "x", "y"), ("u",)

    def constraints(self):
        return {"inside": Constraint(Interval(t=(0, 1)) * Disc((0, 0), 1), lambda t, u: u.d(t))}


def test_inputs_that_can_be_stretched():
    assert stretchable(Front(), "t") == (False, True) and stretchable(Front(), None) == (True, True)
    assert stretchable(OnDisc(), None) == (True, False, False)


class Flow(Equation):
    """u and p on a square: p is asked for inside and at a point."""

    inputs, outputs = ("x", "y"), ("u", "p")

    def constraints(self):
        square = Box(x=(0, 1), y=(0, 1))
        return {
            "inside": Constraint(square, lambda x, y, u, p: u.d(x) + p.d(y)),
            "walls": Constraint(square.boundary, lambda u: u),
            "level": Constraint(PointSet(x=[0.0], y=[0.0]), lambda p: p),
        }


class Ring(Equation):
    """A periodic function of t and x."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 1), x=(-1, 1))
        return {
            "inside": Constraint(box, lambda t, x, u: u.d(t) + u.d(x)),
            "start": Constraint(box.face("t", 0), lambda x, u: u - torch.sin(math.pi * x)),
            "periodic": periodic(box, "x", "u"),
        }


def test_outputs_that_no_boundary_bounds():
    assert unbounded(Flow()) == ("p",)
    assert unbounded(Front()) == unbounded(Ring()) == ()


def test_layers_in_other_coordinates_change_the_scale_with_their_length():
    first = Features(10, (1.0, 4.0)).stretched(((), ((0.0, 0.1),)))
    assert first.scales == (1.0, 4.0)
    second = first.stretched(((), ((0.0, 0.001),)))
    lengths = [Stretching([(0.0, width)]).waves for width in (0.1, 0.001)]
    assert second.scales == (1.0, pytest.approx(4.0 * lengths[1] / lengths[0]))
