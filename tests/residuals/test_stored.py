"""Steps from stored features give the numbers of steps that evaluate the network."""

import functools

import pytest
import torch

from pinnlab.collocation import Sobol
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Shift, Unknown, Whole
from pinnlab.geometry import Box, Interval, PointSet
from pinnlab.networks import MLP, Even, Parts, RandomFeatures, Rescaled, Staged, Taylor
from pinnlab.networks.columns import Columns
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.residuals.jacobian.stored import StoredOutputs
from pinnlab.training import GaussNewton
from pinnlab.training.objective import Objective

GRID = torch.linspace(0, 1, 9, dtype=torch.float64)
H = torch.randn(9, 9, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
features = functools.partial(RandomFeatures, features=12, scale=2.0)
small = functools.partial(MLP, width=6, depth=2)


class Everything(Equation):
    """Rows of all kinds, with two unknowns, of which one is linear."""

    inputs, outputs = ("x",), ("u", "v")

    def __init__(self):
        super().__init__()
        self.p = Unknown(0.3)
        self.k = Unknown(0.7, linear=True)

    def constraints(self):
        box = Interval(x=(0, 1))
        return {
            "interior": Constraint(box, self.interior, points=20, sobolev=(1.0, 0.1)),
            "ends": Constraint(PointSet(x=[0.0, 1.0], data=[1.0, 0.5]), lambda u, data: u - data),
            "pairs": Constraint(box, lambda u, v, right: u * right.v - v, points=5, places={"right": Shift(x=0.5)}),
            "whole": Whole(PointSet(x=GRID), lambda u, v, x, p: (u * (H @ v) + p * u.d(x), (u * v).sum() - 1)),
            "integral": Whole(PointSet(x=GRID), lambda u, p: (u * u).sum() - p),
            "groups": Whole(Box(x=(0, 1)), lambda u, v: u - v.mean(), points=4),
        }

    def interior(self, x, u, v, p, k):
        return u.d(x, x) + p * u * v - k * u, v.d(x) + u * u


def network(kind):
    if kind == "features":
        built = features(1, 2)
    elif kind == "staged":
        built = Staged(1, 2, [small, features], reuse=True)
        built.scales = [1.0, 0.3]
        built.stages[0].requires_grad_(False)
    elif kind == "inside":
        inner = functools.partial(Rescaled, low=[0.0], high=[2.0], network=functools.partial(Even, network=features))
        built = Taylor(1, 2, [0.5, -1.0], inner)
    elif kind == "parts":
        built = Parts(Columns("x"), Columns("uv"), {"u": features, "v": features})
    for p in built.parameters():
        p.data += 0.3 * torch.randn_like(p)
    return built


def problem(kind, engine=None):
    equation = Everything()
    residuals = Residuals(network(kind), equation, engine or NTP())
    points = {
        name: Sobol().sample(constraint.region, constraint.points, 0)
        for name, constraint in equation.constraints().items()
    }
    return residuals, points


def trained(residuals):
    return {name: p.detach() for name, p in residuals.named_parameters() if p.requires_grad}


def agree(a, b):
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12 * max(1.0, float(b.abs().max())))


@pytest.mark.parametrize("held", [True, False], ids=["held", "projected"])
@pytest.mark.parametrize("kind", ["features", "staged", "inside", "parts"])
def test_rows_and_jacobian_are_those_of_the_network(kind, held):
    residuals, points = problem(kind)
    parameters = trained(residuals)
    calls = StoredOutputs().at(residuals, parameters, points, 1e9)
    assert calls.keys() == points.keys()
    weighting = residuals.over(points).times({"ends": 3.0}).balanced({}, {"interior": torch.linspace(0.5, 2, 20)})
    for _ in range(2):
        plain = Linearisation(residuals, parameters, points, weighting, held=held)
        stored = Linearisation(residuals, parameters, points, weighting, held=held, stored=calls)
        agree(stored.vector, plain.vector)
        assert stored.values == pytest.approx(plain.values, rel=1e-11)
        agree(stored.jacobian().dense(), plain.jacobian().dense())
        parameters = {name: p + torch.randn_like(p) for name, p in parameters.items()}


def test_a_stage_that_has_not_begun_has_no_slopes():
    residuals, points = problem("staged")
    residuals.network.scales[1] = 0.0
    parameters, outputs = trained(residuals), StoredOutputs()
    calls = outputs.at(residuals, parameters, points, 1e9)
    found = Linearisation(residuals, parameters, points, held=True, stored=calls)
    agree(found.vector, torch.cat([b.detach().flatten() for b in residuals(points).values()]))
    matrix = found.jacobian().dense()
    assert bool((matrix[:, :-1] == 0).all()) and bool(matrix[:, -1].any())  # p alone takes part
    residuals.network.scales[1] = 0.3
    begun = Linearisation(residuals, parameters, points, stored=outputs.at(residuals, parameters, points, 1e9))
    agree(begun.vector, Linearisation(residuals, parameters, points).vector)


@pytest.mark.parametrize("count", [20, 700])
def test_few_and_many_points_with_sobolev_rows(count):
    residuals, _ = problem("features")
    points = {"interior": {"x": torch.rand(count)}}
    parameters = trained(residuals)
    calls = StoredOutputs().at(residuals, parameters, points, 1e9)
    plain, stored = (Linearisation(residuals, parameters, points, stored=given) for given in (None, calls))
    agree(stored.vector, plain.vector)
    agree(stored.jacobian().dense(), plain.jacobian().dense())


class Untouched(RandomFeatures):
    """Counts its evaluations."""

    calls = 0

    def hidden(self, x):
        type(self).calls += 1
        return super().hidden(x)


def test_the_network_is_evaluated_once_for_all_steps_at_the_same_points():
    Untouched.calls = 0
    residuals = Residuals(Untouched(1, 2, features=12), Everything(), NTP())
    _, points = problem("features")
    phase, outputs = GaussNewton(steps=4, plateau=None), StoredOutputs()
    optimizer = phase.optimizer(residuals.parameters())
    counts, losses = [], []
    for step in range(3):
        losses.append(phase.step(optimizer, Objective(residuals, points, outputs=outputs), step))
        counts.append(Untouched.calls)
    assert losses[2] < losses[1] < losses[0]
    assert counts[0] > 0 and counts == [counts[0]] * 3
    moved = {**points, "interior": {"x": points["interior"]["x"] * 0.9}}
    phase.step(optimizer, Objective(residuals, moved, outputs=outputs), 3)
    assert Untouched.calls == counts[0] + 1  # the interior alone


@pytest.mark.parametrize("change", ["points", "frozen", "buffer", "scale", "trained"])
def test_features_are_made_anew_when_what_they_depend_on_changes(change):
    residuals, points = problem("staged")
    staged, outputs = residuals.network, StoredOutputs()
    outputs.at(residuals, trained(residuals), points, 1e9)
    with torch.no_grad():
        if change == "points":
            points = {**points, "interior": {"x": torch.rand(20)}}
        elif change == "frozen":
            next(staged.stages[0].parameters()).add_(0.1)
        elif change == "buffer":
            staged.stages[1].weight.mul_(1.1)
        elif change == "scale":
            staged.scales[1] = 0.2
        else:
            staged.stages[1].last.bias.requires_grad_(False)
    parameters = trained(residuals)
    calls = outputs.at(residuals, parameters, points, 1e9)
    plain, stored = (Linearisation(residuals, parameters, points, stored=given) for given in (None, calls))
    agree(stored.vector, plain.vector)
    agree(stored.jacobian().dense(), plain.jacobian().dense())


@pytest.mark.parametrize(
    ("kind", "engine", "memory"),
    [(small, NTP(), 1e9), (functools.partial(MLP, width=6, depth=2, activation="relu"), NTP(), 1e9),
     (features, Autograd(), 1e9), (features, NTP(), 500)],
    ids=["not affine", "affine in pieces", "no series", "no memory"],
)  # fmt: skip
def test_other_networks_are_evaluated(kind, engine, memory):
    residuals = Residuals(kind(1, 2), Everything(), engine)
    for p in residuals.network.parameters():
        p.data += 0.3 * torch.randn_like(p)
    _, points = problem("features")
    assert StoredOutputs().at(residuals, trained(residuals), {"ends": points["ends"]}, memory) == {}


def test_what_does_not_fit_is_told_and_the_rest_is_stored(caplog):
    residuals, points = problem("features")
    with caplog.at_level("DEBUG", logger="pinnlab"):
        calls = StoredOutputs().at(residuals, trained(residuals), points, 2e4)
    assert calls and calls.keys() < points.keys()
    assert sum(call.features.nbytes for found in calls.values() for call in found) <= 2e4
    assert "would take" in caplog.text


def test_steps_are_those_of_the_engine_without_series():
    """Nested reverse mode evaluates the network each time: the same losses and unknowns."""
    found = []
    for engine in (NTP(), Autograd()):
        torch.manual_seed(0)
        residuals, points = problem("staged", engine)
        phase, outputs = GaussNewton(steps=4, plateau=None), StoredOutputs()
        optimizer = phase.optimizer(residuals.parameters())
        objectives = [Objective(residuals, points, outputs=outputs) for _ in range(4)]
        losses = [phase.step(optimizer, objective, i) for i, objective in enumerate(objectives)]
        objectives[-1].settle()
        found.append([*losses, *(float(u.value.detach()) for u in residuals.equation.unknowns().values())])
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_the_jacobian_of_linear_rows_is_made_once_for_given_weights():
    residuals, points = problem("features")
    points = {"ends": points["ends"]}
    parameters = trained(residuals)
    calls = StoredOutputs().at(residuals, parameters, points, 1e9)
    slopes = torch.randn(1, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    (call,) = calls["ends"]
    assert call.through(slopes) is call.through(slopes.clone())
    agree(call.through(3 * slopes), 3 * call.through(slopes))
    for factor in (1.0, 4.0):  # with other weights, it is another one
        weighting = residuals.over(points).times({"ends": factor})
        for _ in range(2):
            stored = Linearisation(residuals, parameters, points, weighting, held=True, stored=calls)
            plain = Linearisation(residuals, parameters, points, weighting, held=True)
            agree(stored.jacobian().dense(), plain.jacobian().dense())
            parameters = {name: p + 1 for name, p in parameters.items()}
