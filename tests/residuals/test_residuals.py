"""Residual blocks against loss terms derived by hand, under every engine."""

import copy
import math
import pickle

import pytest
import torch

from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval, PointSet
from pinnlab.networks import MLP
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.residuals import Residuals, Sobolev
from pinnlab.residuals.sobolev import Geometric, Only, Weights
from tests.truth import agree, nested

ENGINES = {"recurrence": NTP(), "partitions": NTP("faa_di_bruno"), "autograd": Autograd()}


@pytest.fixture(params=ENGINES)
def engine(request):
    return ENGINES[request.param]


class Burgers(Equation):
    """u_t + u u_x = ν u_xx with an unknown viscosity, a periodic-like wall flux and data."""

    inputs, outputs = ("t", "x"), ("u",)

    def __init__(self):
        super().__init__()
        self.nu = Unknown(0.1)

    def constraints(self):
        box = Box(t=(0, 1), x=(-1, 1))
        return {
            "interior": Constraint(box, self.residual),
            "initial": Constraint(box.face("t", 0), lambda x, u: u + torch.sin(math.pi * x), weight=2.0),
            "data": Constraint(
                PointSet(t=[0.5, 0.5], x=[0.1, 0.2], measured=[0.3, 0.4]), lambda u, measured: u - measured
            ),
        }

    def residual(self, t, x, u, nu):
        return u.d(t) + u * u.d(x) - nu * u.d(x, x)


def pair(n=6):
    return {"t": torch.rand(n), "x": 2 * torch.rand(n) - 1}


def derivatives(network, points, *indices):
    """u's derivatives by nested reverse mode, the truth that the hand-derived formulas are made of."""
    columns = torch.stack(tuple(points.values()), -1)
    return [value.detach() for value in nested(lambda p: network(p)[:, 0], columns, indices)]


def test_viscous_burgers_with_a_gradient_term(engine):
    """|∇F|² = F_t² + F_x², written out."""
    torch.manual_seed(1)
    equation, network, points = Burgers(), MLP(2, 1, width=5, depth=2), pair()
    nu = 0.1
    u, ut, ux, utt, utx, uxx, utxx, uxxx = derivatives(
        network, points, (0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (1, 2), (0, 3)
    )
    F = ut + u * ux - nu * uxx
    Ft = utt + ut * ux + u * utx - nu * utxx
    Fx = utx + ux * ux + u * uxx - nu * uxxx
    residuals = Residuals(network, equation, engine, {"interior": Weights([0.7, 0.2])})
    block = residuals({"interior": points})["interior"]
    agree(block, torch.stack([0.7**0.5 * F, 0.2**0.5 * Ft, 0.2**0.5 * Fx]) / 6**0.5, 1e-12)
    loss = 0.7 * (F**2).mean() + 0.2 * (Ft**2 + Fx**2).mean()
    agree(residuals.loss({"interior": block}), loss, 1e-12)


class Heat(Equation):
    """u_t = u_xx."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        return {"interior": Constraint(Box(t=(0, 1), x=(-1, 1)), lambda t, x, u: u.d(t) - u.d(x, x))}


def test_heat_to_second_order_counts_mixed_derivatives_twice(engine):
    """|∇²F|² = F_tt² + 2 F_tx² + F_xx²: the mixed one stands in the matrix twice."""
    torch.manual_seed(2)
    network, points = MLP(2, 1, width=5, depth=1), pair()
    u = dict(
        zip(
            indices := [(1, 0), (0, 2), (2, 0), (1, 2), (1, 1), (0, 3), (3, 0), (2, 2), (2, 1), (1, 3), (0, 4)],
            derivatives(network, points, *indices),
            strict=True,
        )
    )
    F = u[1, 0] - u[0, 2]
    Ft, Fx = u[2, 0] - u[1, 2], u[1, 1] - u[0, 3]
    Ftt, Ftx, Fxx = u[3, 0] - u[2, 2], u[2, 1] - u[1, 3], u[1, 2] - u[0, 4]
    q = (1.0, 0.5, 0.25)
    residuals = Residuals(network, Heat(), engine, {"interior": Geometric(2, 0.5)})
    block = residuals({"interior": points})["interior"]
    assert block.shape == (6, 6)
    truth = q[0] * F**2 + q[1] * (Ft**2 + Fx**2) + q[2] * (Ftt**2 + 2 * Ftx**2 + Fxx**2)
    agree(block.square().sum(0), truth / 6, 1e-11)


def test_self_similar_burgers_to_second_order(engine):
    """F = ((1+λ)X + U)U' - λU; F' = (1 + U')U' + ((1+λ)X + U)U''; and once more."""
    torch.manual_seed(3)
    equation = SelfSimilarBurgers(1, start=0.45)
    network, X, lam = MLP(1, 1, width=6, depth=2), 4 * torch.rand(7) - 2, 0.45
    U, U1, U2, U3 = derivatives(network, {"X": X}, (0,), (1,), (2,), (3,))
    drift = (1 + lam) * X + U
    F = drift * U1 - lam * U
    F1 = (1 + U1) * U1 + drift * U2
    F2 = (1 + 2 * U1) * U2 + (1 + lam + U1) * U2 + drift * U3
    residuals = Residuals(network, equation, engine, {"interior": Weights([0.3, 0.2, 0.1]), "origin": Only(2, 0.4)})
    blocks = residuals({"interior": {"X": X}, "origin": {"X": X}})
    scale = torch.tensor([0.3, 0.2, 0.1]).sqrt()[:, None]
    agree(blocks["interior"], scale * torch.stack([F, F1, F2]) / 7**0.5, 1e-11)
    agree(blocks["origin"], 0.4**0.5 * F2[None] / 7**0.5, 1e-11)


@pytest.mark.parametrize("sobolev", [None, {name: Geometric(2, 0.3) for name in ("interior", "initial")}])
def test_engines_agree_on_blocks_and_on_every_gradient(sobolev):
    torch.manual_seed(4)
    equation, network = Burgers(), MLP(2, 1, width=5, depth=2)
    points = {
        "interior": pair(),
        "initial": {"t": torch.zeros(4), "x": torch.rand(4)},
        "data": {"t": torch.rand(3), "x": torch.rand(3), "measured": torch.rand(3)},
    }
    results = []
    for engine in ENGINES.values():
        residuals = Residuals(network, equation, engine, sobolev)
        blocks = residuals(points)
        gradients = torch.autograd.grad(residuals.loss(blocks), list(residuals.parameters()), materialize_grads=True)
        results.append((*blocks.values(), *gradients))
    assert len(results[0]) == 3 + 6 + 1  # blocks, weights and biases of three layers, the viscosity
    for other in results[1:]:
        for value, true in zip(other, results[0], strict=True):
            agree(value, true, 1e-11)


def test_the_profiles_of_the_paper_agree_between_engines():
    torch.manual_seed(4)
    equation, network = SelfSimilarBurgers(2), MLP(1, 1, width=4, depth=1)
    points = {name: {"X": 0.1 * torch.rand(3)} for name in ("interior", "origin", "ends")}
    truth, *others = (Residuals(network, equation, engine)(points) for engine in ENGINES.values())
    for blocks in others:
        for name, block in blocks.items():
            agree(block, truth[name], 1e-10, name)


def test_blocks_are_normalised_by_the_global_number_of_points(engine):
    """The shares of several ranks add up to the loss of one, however unequal they are."""
    residuals = Residuals(MLP(2, 1, width=4), Burgers(), engine)
    points = pair(10)
    whole = residuals.loss(residuals({"interior": points}))
    shares = [{name: column[part] for name, column in points.items()} for part in (slice(3), slice(3, 10))]
    weighting = residuals.weighting.over({"interior": 10})
    parts = [residuals.loss(residuals({"interior": share}, weighting)) for share in shares]
    agree(sum(parts), whole, 1e-14)


def test_weights_scale_the_loss_of_their_constraint():
    network, equation, points = MLP(2, 1, width=4), Burgers(), {"t": torch.zeros(4), "x": torch.rand(4)}
    u = network(torch.stack([points["t"], points["x"]], -1))[:, 0]
    mean = (u + torch.sin(math.pi * points["x"])).square().mean()
    for weights, factor in ((None, 2.0), ({"initial": 5.0}, 5.0)):
        residuals = Residuals(network, equation, NTP(), weights=weights)
        agree(residuals.loss(residuals({"initial": points})), factor * mean, 1e-14)


class System(Equation):
    """u' = v, v' = -u: a residual of two rows."""

    inputs, outputs = ("x",), ("u", "v")

    def constraints(self):
        return {"interior": Constraint(Interval(x=(0, 1)), lambda x, u, v: (u.d(x) - v, v.d(x) + u), sobolev=(1, 0.5))}


def test_the_rows_of_a_system_follow_one_another(engine):
    network, x = MLP(1, 2, width=4), torch.rand(5)
    block = Residuals(network, System(), engine)({"interior": {"x": x}})["interior"]
    columns = [
        [value.detach() for value in nested(lambda p, i=i: network(p)[:, i], x[:, None], [(0,), (1,), (2,)])]
        for i in (0, 1)
    ]
    (u, u1, u2), (v, v1, v2) = columns
    rows = [u1 - v, 0.5**0.5 * (u2 - v1), v1 + u, 0.5**0.5 * (v2 + u1)]
    agree(block, torch.stack(rows) / 5**0.5, 1e-12)


def test_the_module_holds_network_and_unknowns_and_copies_own_theirs():
    residuals = Residuals(MLP(2, 1, width=4, depth=1), Burgers(), NTP())
    assert set(residuals.state_dict()) == {
        "network.0.weight",
        "network.0.bias",
        "network.2.weight",
        "network.2.bias",
        "equation.nu.parameter",
    }
    points = {"interior": pair()}
    before = residuals(points)["interior"]
    twin = copy.deepcopy(residuals)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(0.1)
    assert torch.equal(residuals(points)["interior"], before)
    moved = twin(points)["interior"]
    assert not torch.equal(moved, before)
    given = {name: value.detach() for name, value in twin.named_parameters()}
    assert torch.equal(torch.func.functional_call(residuals, given, (points,))["interior"], moved)


def test_a_burgers_problem_pickles():
    residuals = Residuals(MLP(1, 1, width=4), SelfSimilarBurgers(1), NTP())
    points = {"interior": {"X": torch.rand(4)}}
    twin = pickle.loads(pickle.dumps(residuals))
    assert torch.equal(twin(points)["interior"], residuals(points)["interior"])


def test_per_point_jacobians_by_vmap_are_rows_of_the_whole():
    residuals = Residuals(MLP(1, 1, width=4), SelfSimilarBurgers(1), NTP())
    X = torch.rand(5)
    parameters = {name: value.detach() for name, value in residuals.named_parameters()}

    def rows(parameters, X):
        weighting = residuals.weighting.over({"interior": 5})
        block = torch.func.functional_call(residuals, parameters, ({"interior": {"X": X[None]}}, weighting))
        return block["interior"][:, 0]

    found = torch.func.vmap(torch.func.jacrev(rows), in_dims=(None, 0))(parameters, X)
    whole = torch.func.jacrev(
        lambda parameters: torch.func.functional_call(residuals, parameters, ({"interior": {"X": X}},))["interior"]
    )(parameters)
    for name, jacobian in whole.items():
        torch.testing.assert_close(found[name], jacobian.transpose(0, 1))


def test_derivatives_of_the_outputs(engine):
    network, x = MLP(1, 2, width=4), torch.rand(5)
    found = Residuals(network, System(), engine).derivatives({"x": x}, 3)
    for i, name in enumerate(("u", "v")):
        truth = nested(lambda p, i=i: network(p)[:, i], x[:, None], [(j,) for j in range(4)])
        agree(found[name], torch.stack(truth), 1e-12)
    with torch.no_grad():
        agree(Residuals(network, System(), engine).derivatives({"x": x}, 3)["u"], found["u"], 1e-15)
    with pytest.raises(UserError, match="takes one"):
        Residuals(MLP(2, 1), Burgers(), engine).derivatives(pair(), 1)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("no constraint 'walls'; it has interior, initial, data", {"sobolev": {"walls": Weights([1.0])}}),
        ("no constraint 'wall'", {"weights": {"wall": 1.0}}),
        ("weight of constraint 'data' must be positive", {"weights": {"data": 0.0}}),
        ("weight of constraint 'data' must be positive", {"weights": {"data": math.nan}}),
    ],
)
def test_wrong_options_are_refused(message, options):
    with pytest.raises(UserError, match=message):
        Residuals(MLP(2, 1), Burgers(), NTP(), **options)


def test_a_declaration_is_checked_before_anything_runs():
    class Nameless(Heat):
        inputs = "tx"

    with pytest.raises(UserError, match=r"Nameless.inputs must be a tuple"):
        Residuals(MLP(2, 1), Nameless(), NTP())


def test_points_without_a_coordinate_are_refused():
    class Lost(Heat):
        def constraints(self):
            return {"interior": Constraint(Interval(x=(0, 1)), lambda u: u)}

    with pytest.raises(UserError, match="constraint 'interior': the region has no coordinate 't'"):
        Residuals(MLP(2, 1), Lost(), NTP())


def test_a_weighting_of_ones_own_is_used():
    class Second(Sobolev):
        def weights(self):
            return (0.0, 0.0, 3.0)

    network, points = MLP(2, 1, width=4), pair()
    found = Residuals(network, Heat(), NTP(), {"interior": Second()})({"interior": points})["interior"]
    assert torch.equal(
        found, Residuals(network, Heat(), NTP(), {"interior": Only(2, 3.0)})({"interior": points})["interior"]
    )
