"""An equation in a window of its time: what it takes over from the window before, and which conditions it keeps."""

import itertools
import math

import pytest
import torch
from torch import nn

from pinnlab.collocation import Sobol
from pinnlab.engines import NTP
from pinnlab.equations import Constraint, Equation, Vector, periodic
from pinnlab.geometry import Box, PointSet, size
from pinnlab.jets.operators import laplacian
from pinnlab.residuals import Residuals
from pinnlab.strategy.agreement import before
from pinnlab.strategy.features import Features, Range
from pinnlab.strategy.structure.evolution import evolution
from pinnlab.strategy.structure.window import START, Observed, Window, handed
from pinnlab.strategy.trials.trial import Trial

BOX = Box(t=(0, 2), x=(0, 1))


class Known(nn.Module):
    """A function of the columns of the inputs as a network."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return torch.stack(self.function(*(x[..., i] for i in range(x.shape[-1]))), -1)


def trial(equation, function):
    """A trial whose network is a known function."""
    return Trial(Features(1, (1.0,)), None, Residuals(Known(function), equation, NTP()), 0.0, 0.0, 0.0, 0, {})


class String(Equation):
    """u_tt = u_xx and a temperature v_t = v_xx, with walls, a periodic condition and measurements."""

    inputs, outputs = ("x", "t"), ("u", "v")

    def constraints(self):
        return {
            "inside": Constraint(BOX, self.inside, points=50, weight=2.0, sobolev=(1.0, 0.1)),
            "place": Constraint(BOX.face("t", 0), lambda x, u: u - torch.sin(math.pi * x), points=9),
            "start": Constraint(BOX.face("t", 0), lambda t, u, v: (u.d(t), v - 1)),
            "walls": Constraint(BOX.faces("x"), lambda u: u, points=7, weight=3.0),
            "around": periodic(BOX, "x", "v"),
            "data": Constraint(PointSet(t=[0.25, 0.75, 1.0, 1.5], x=[0.5] * 4, m=[1.0, 2.0, 3.0, 4.0]), self.measured),
        }

    def inside(self, t, x, u, v):
        return u.d(t, t) - u.d(x, x), v.d(t) - v.d(x, x)

    def measured(self, u, m):
        return u - m


def solution(x, t):
    """u and v of closed form, with derivatives in t that are not each other's."""
    return torch.sin(math.pi * x) * (3 * t).cos(), torch.exp(-t) * (1 + x * x)


def test_values_and_derivatives_are_handed_over():
    equation = String()
    columns = before(trial(equation, solution), "t", {"u": 2, "v": 1})
    points = {"x": torch.rand(20), "t": torch.full((20,), 0.7)}
    found = columns(points)
    x, t = points["x"], points["t"]
    expected = {
        "before_0_u": torch.sin(math.pi * x) * (3 * t).cos(),
        "before_1_u": -3 * torch.sin(math.pi * x) * (3 * t).sin(),
        "before_0_v": torch.exp(-t) * (1 + x * x),
    }
    assert found.keys() == expected.keys() == {handed("u", 0), handed("u", 1), handed("v", 0)}
    for name, column in expected.items():
        torch.testing.assert_close(found[name], column, rtol=1e-13, atol=1e-13)
        assert not found[name].requires_grad


def test_four_derivatives_of_an_output_and_none_of_another():
    class Two(Equation):
        inputs, outputs = ("t",), ("u", "p")

        def constraints(self):
            return {"ode": Constraint(Box(t=(0, 1)), lambda t, u, p: (u.d(t, t, t, t) - p, p - u))}

    found = before(trial(Two(), lambda t: ((2 * t).sin(), t)), "t", {"u": 4, "p": 0})({"t": torch.tensor([0.3])})
    assert list(found) == [handed("u", k) for k in range(4)]
    angles = [0.6 + k * math.pi / 2 for k in range(4)]
    for k, angle in enumerate(angles):
        assert float(found[handed("u", k)]) == pytest.approx(2**k * math.sin(angle), rel=1e-13)


def test_a_vector_before_the_time_moves_no_derivative():
    class Cloud(Equation):
        inputs, outputs = (Vector("x", 3), "t"), ("u",)

        def constraints(self):
            region = Box(x=([0.0] * 3, [1.0] * 3), t=(0, 1))
            return {"inside": Constraint(region, lambda x, t, u: u.d(t, t) - laplacian(u, x))}

    columns = before(trial(Cloud(), lambda a, b, c, t: (a * b * c * (5 * t).sin(),)), "t", {"u": 2})
    x, t = torch.rand(6, 3), torch.rand(6)
    torch.testing.assert_close(columns({"x": x, "t": t})[handed("u", 1)], 5 * x.prod(-1) * (5 * t).cos())


def windows(ends, function=solution):
    """The windows of a string between the ends, each after the known solution."""
    equation = String()
    found = evolution(equation)
    starts = [None, *itertools.repeat(before(trial(equation, function), "t", found.orders), len(ends) - 2)]
    return [
        Window(equation, found, low, high, start)
        for (low, high), start in zip(itertools.pairwise(ends), starts, strict=True)
    ]


def test_the_first_window_keeps_the_initial_conditions():
    first, _ = windows([0.0, 0.5, 2.0])
    whole, cut = String().constraints(), first.constraints()
    assert set(cut) == set(whole)
    first.check()
    for name in ("place", "start"):
        points, expected = (Sobol().sample(c[name].region, 20, seed=1) for c in (cut, whole))
        assert points.keys() == expected.keys()
        assert all(torch.equal(points[key], expected[key]) for key in expected)
    assert Sobol().sample(cut["data"].region, 9, seed=0)["m"].tolist() == [1.0]


def test_a_later_window_has_its_part_of_every_condition_and_a_start():
    _, middle, last = windows([0.0, 0.5, 1.2, 2.0])
    assert set(middle.constraints()) == {"inside", "walls", "around", "data", START}
    for window, (low, high), data in ((middle, (0.5, 1.2), [2.0, 3.0]), (last, (1.2, 2.0), [4.0])):
        window.check()
        assert (window.inputs, window.outputs, window.name) == (("x", "t"), ("u", "v"), "String")
        for name, constraint in window.constraints().items():
            points = Sobol().sample(constraint.region, 40, seed=2)
            assert ((points["t"] >= low) & (points["t"] <= high)).all(), name
            if name == "data":
                assert points["m"].tolist() == data
            if name == START:
                assert (points["t"] == low).all() and size(points) == 40


def test_what_constraints_say_of_points_and_weights_stays():
    whole = String().constraints()
    for window in windows([0.0, 0.5, 2.0]):
        for name, constraint in window.constraints().items():
            if name != START:
                for member in ("points", "sobolev", "weight"):
                    assert getattr(constraint, member) == getattr(whole[name], member), (name, member)
                assert constraint.places.keys() == whole[name].places.keys()


def test_a_condition_outside_of_the_window_is_left_out():
    _, later = windows([0.0, 1.6, 2.0])
    assert "data" not in later.constraints()
    _, middle, _ = windows([0.0, 0.3, 0.7, 2.0])
    assert "data" not in middle.constraints()


def test_the_solution_before_satisfies_the_start_and_another_does_not():
    """A window's rows at its start vanish for what was handed over, and are its differences for what was not."""
    _, window = windows([0.0, 0.5, 2.0])
    points = {START: Sobol().sample(window.constraints()[START].region, 30, seed=3)}
    for added, expected in ((lambda t: 0 * t, [0, 0, 0]), (lambda t: 1 + 2 * (t - 0.5), [1, 2, 0])):
        network = Known(lambda x, t, added=added: (solution(x, t)[0] + added(t), solution(x, t)[1]))
        residuals = Residuals(network, window, NTP()).unweighted()
        (rows,) = residuals(points, residuals.weighting).values()
        rows = rows.detach().reshape(3, 30)
        torch.testing.assert_close(rows, torch.tensor(expected).to(rows)[:, None].expand(3, 30), rtol=0, atol=1e-12)


def test_all_conditions_vanish_at_a_solution_of_all_windows():
    """u = sin πx cos πt and v = 1 solve the string: so they solve each of its windows."""

    def truth(x, t):
        return torch.sin(math.pi * x) * (math.pi * t).cos(), torch.ones_like(x)

    for window in windows([0.0, 0.3, 1.6, 2.0], truth):
        residuals = Residuals(Known(truth), window, NTP()).unweighted()
        for name, constraint in window.constraints().items():
            if name != "data":
                points = {name: Sobol().sample(constraint.region, 30, seed=4)}
                (rows,) = residuals(points, residuals.weighting).values()
                assert float(rows.abs().max()) < 1e-12, name


def test_observed_points_have_their_columns_and_are_otherwise_those_of_the_base():
    base = BOX.face("t", 0)
    region = Observed(base, lambda points: {"more": points["x"] ** 2})
    assert (region.dimension, region.measure, region.names) == (base.dimension, base.measure, base.names)
    assert region.extent == base.extent
    points, expected = (Sobol().sample(r, 12, seed=5) for r in (region, base))
    assert torch.equal(points.pop("more"), expected["x"] ** 2)
    assert all(torch.equal(points[name], expected[name]) for name in expected)
    assert region.contains(expected).all()


def test_a_window_trains_nothing_of_the_solution_before():
    equation = String()
    found = evolution(equation)
    first = Trial.untrained(Window(equation, found, 0.0, 0.5), Features(20, (4.0, 4.0)), Range.unit(2))
    second = Window(equation, found, 0.5, 2.0, before(first, "t", found.orders))
    assert not list(second.parameters()) and not second.state_dict()
