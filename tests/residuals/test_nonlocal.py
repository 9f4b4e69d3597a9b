"""Rows that see more than their own point: their values, Jacobians, and what is refused."""

import math

import pytest
import torch
from torch import nn
from torch.func import functional_call

import pinnlab
from pinnlab.collocation import Sobol
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Shift, Unknown, Whole, bloch, periodic
from pinnlab.errors import UserError
from pinnlab.geometry import Box, PointSet
from pinnlab.networks import MLP
from pinnlab.residuals import Residuals
from pinnlab.residuals.inspection import inspect
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.residuals.precise import Precise
from pinnlab.training import LBFGS, Adam, GaussNewton

ENGINES = {"jets": NTP, "autograd": Autograd}


class Rule:
    """Gauss-Legendre nodes on [0, 2]."""

    def __init__(self, count=9):
        from numpy.polynomial.legendre import leggauss

        nodes, weights = map(torch.from_numpy, leggauss(count))
        self.count, self.nodes, self.weights, self.bounds = count, {"x": nodes + 1}, weights, {"x": (0.0, 2.0)}

    def finer(self):
        return Rule(2 * self.count)


def matrix(rows, columns=None, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns or rows, generator=generator, dtype=torch.float64)


class OneInput(Equation):
    """An equation of one input with one constraint."""

    inputs, outputs = ("x",), ("u", "v")

    def __init__(self, constraint, linear=False):
        super().__init__()
        self.p = Unknown(0.3, linear=linear)
        self.build = constraint

    def constraints(self):
        return {"all": self.build()}


class TwoInputs(OneInput):
    inputs = ("t", "x")


GRID = torch.linspace(0, 2, 11, dtype=torch.float64)
H = matrix(11)
ARRAY = H.numpy()

RESIDUALS = {
    "mean": lambda u: u - 3 * u.mean(),
    "matrix": lambda u, x: H @ u.d(x),
    "matrix and derivatives": lambda u, x, p: u * (H @ u) + p * u.d(x, x),
    "numpy": lambda u: u - ARRAY @ u,
    "integral": lambda u, v: (u * u + v).sum() - 1,
    "two kinds of rows": lambda u, v, x: ((u * v).sum(), u.d(x) - v.mean(), v),
    "rectangular": lambda u: matrix(4, 11) @ torch.tanh(u),
    "index": lambda u, x: u - u[0] - x * u[-1],
    "running sum": lambda u: torch.stack([u[: i + 1].sum() for i in range(11)]) - u,
    "reversed": lambda u, x: u.d(x) + u[torch.arange(10, -1, -1)],
    "quadratic form": lambda u: u @ (H @ u),
    "unknown": lambda u, p, x: p * u.d(x) + p**2 * u.sum(),
    "many derivatives": lambda u, v, x: u.d(x, x, x) * v.sum() + v.d(x, x).mean() * u,
    "unknown alone": lambda u, p: p * p - 2 + 0 * u.sum(),
}


def whole(name):
    return lambda: Whole(PointSet(x=GRID), RESIDUALS[name])


def paired():
    return Constraint(
        Box(x=(0, 1)),
        lambda x, u, v, p, right, mirror: (
            u.d(x) - right.u.d(right.x, right.x) * v,
            p * mirror.u * u + right.v,
            mirror.v.d(mirror.x) - x * v,
        ),
        points=7,
        places={"right": Shift(x=1.0), "mirror": lambda x: {"x": 2 - x}},
    )


def grouped():
    return Whole(
        Rule(),
        lambda t, x, u, v, weight, p: (u.d(t) - (weight * v).sum() * u.d(x), (weight * u * x).sum() - p),
        each=Box(t=(0, 1)),
        points=3,
    )


CASES = {name: (OneInput, whole(name)) for name in RESIDUALS} | {
    "paired": (OneInput, paired),
    "groups": (TwoInputs, grouped),
}


def made(name, engine, linear=False, network=None):
    """Residuals, points and parameters of a case."""
    kind, build = CASES[name]
    equation = kind(build, linear)
    torch.manual_seed(1)
    residuals = Residuals(network or MLP(equation.dimension, 2, 6, 2), equation, engine)
    points = {"all": Sobol().sample(build().region, build().points, 0)}
    return residuals, points, {key: p.detach() for key, p in residuals.named_parameters()}


def reference(residuals, points, parameters):
    """The Jacobian by reverse mode through everything, row by row."""
    leaves = {key: p.clone().requires_grad_() for key, p in parameters.items()}
    block = functional_call(residuals, leaves, (points,))["all"]
    rows = [
        torch.autograd.grad(r, list(leaves.values()), retain_graph=True, allow_unused=True, materialize_grads=True)
        for r in block.flatten()
    ]
    return torch.stack([torch.cat([part.flatten() for part in row]) for row in rows])


@pytest.fixture(autouse=True)
def _float64():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CASES)
def test_the_jacobian_is_that_of_reverse_mode(name, engine):
    residuals, points, parameters = made(name, ENGINES[engine]())
    with torch.no_grad():
        here = Linearisation(residuals, parameters, points)
        jacobian = here.jacobian().dense()
    expected = reference(residuals, points, parameters)
    assert torch.allclose(jacobian, expected, rtol=0, atol=1e-12 * max(1, float(expected.abs().max())))
    assert torch.allclose(here.vector, residuals(points)["all"].flatten(), rtol=1e-13, atol=1e-14)


class Gated(nn.Module):
    """A network with trained parameters outside of linear layers."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.inner = MLP(inputs, outputs, 5, 1)
        self.gate = nn.Parameter(torch.tensor(0.7))

    def forward(self, x):
        return torch.tanh(self.gate * self.inner(x))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["matrix and derivatives", "paired", "groups"])
def test_the_jacobian_of_other_networks(name, engine):
    residuals, points, parameters = made(name, ENGINES[engine](), network=Gated(CASES[name][0].inputs.__len__(), 2))
    with torch.no_grad():
        jacobian = Linearisation(residuals, parameters, points).jacobian().dense()
    assert torch.allclose(jacobian, reference(residuals, points, parameters), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("unknown", "unknown alone")])
def test_engines_agree_and_so_does_higher_precision(name):
    blocks = []
    for engine in ENGINES.values():
        residuals, points, _ = made(name, engine())
        blocks.append(residuals(points)["all"].detach())
    assert torch.allclose(*blocks, rtol=0, atol=1e-12 * max(1, float(blocks[0].abs().max())))
    if name not in ("numpy", "running sum", "quadratic form"):
        exact = Precise(residuals, points).blocks(residuals)["all"]
        assert torch.allclose(exact, blocks[0], rtol=0, atol=1e-11 * max(1, float(exact.abs().max())))


@pytest.mark.parametrize("engine", ENGINES)
def test_linear_unknowns_of_whole_rows_have_their_least_squares_values(engine):
    """λ of u' = λ (H u) is the least-squares value, and the Jacobian is the projected one."""
    kind, _ = CASES["matrix"]
    equation = kind(lambda: Whole(PointSet(x=GRID), lambda u, x, p: u.d(x) - p * (H @ u)), linear=True)
    residuals = Residuals(MLP(1, 2, 6, 2), equation, ENGINES[engine]())
    points = {"all": {"x": GRID[None]}}
    parameters = {k: v.detach() for k, v in residuals.named_parameters() if k.startswith("network.")}
    with torch.no_grad():
        here = Linearisation(residuals, parameters, points)
        jacobian = here.jacobian().dense()
    fields = residuals.fields({"x": GRID}, residuals.terms["all"].indices)
    slope, left = H @ fields["u"].value.detach(), fields["u"].derivative((1,)).detach()
    value = float(slope @ left / (slope @ slope))
    assert math.isclose(here.values["p"], value, rel_tol=1e-12)
    assert float((slope @ here.vector).abs()) < 1e-12 * float(slope.norm() * left.norm())
    assert float((slope @ jacobian).abs().max()) < 1e-12 * float(slope.norm() * jacobian.norm())


def test_the_loss_is_the_mean_over_rows_and_groups():
    residuals, points, _ = made("groups", NTP())
    with torch.no_grad():
        block = residuals(points)["all"]
    plain = residuals.unweighted()(points, residuals.unweighted().weighting)["all"].detach()
    assert plain.shape == (10, 3)
    expected = (plain[:9].square().mean() + plain[9:].square().mean()).item()
    assert math.isclose(float(block.square().sum()), expected, rel_tol=1e-13)


REFUSED = {
    "derivative of a matrix product": (whole("matrix"), lambda u, x: (H @ u).d(x), "has none"),
    "of a sum": (whole("mean"), lambda u, x: (u * u.sum()).d(x), "sum"),
    "of a column of data": (
        lambda: Whole(PointSet(x=GRID, k=GRID), lambda u: u),
        lambda u, x, k: (k * u).d(x),
        "the column 'k'",
    ),
    "matrix of another size": (whole("matrix"), lambda u: matrix(7) @ u, "as many entries as there are nodes"),
    "branch": (whole("mean"), lambda u: u if u.sum() > 0 else -u, "cannot branch|branches on the values"),
    "rows of two dimensions": (whole("mean"), lambda u: u[:, None] * u, "a field \\(R,\\)"),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_is_refused(name, engine):
    build, residual, message = REFUSED[name]
    region = build().region.nodes
    with pytest.raises(UserError, match=message):
        Residuals(MLP(1, 2, 4, 1), OneInput(lambda: Whole(region, residual)), ENGINES[engine]())


PLACES = {"right": Shift(x=1.0), "mirror": lambda x: {"x": 1 - x}}


@pytest.mark.parametrize(
    ("residual", "message"),
    [
        (lambda u, x, mirror: (u * mirror.u).d(x), "mixes places"),
        (lambda u, x, mirror: mirror.u.d(x), "at one place along a coordinate of another"),
        (lambda u, mirror: u - mirror.w, "has no 'w'"),
        (lambda u, there: u - there.u, "asks for 'there'"),
    ],
    ids=["mixed", "other coordinate", "no such output", "no such place"],
)
def test_derivatives_across_places_are_refused(residual, message):
    constraint = Constraint(Box(x=(0, 1)), residual, points=5, places=PLACES)
    with pytest.raises(UserError, match=message):
        Residuals(MLP(1, 2, 4, 1), OneInput(lambda: constraint), NTP())


@pytest.mark.parametrize("engine", ENGINES)
def test_sobolev_rows_of_a_place_at_a_fixed_distance(engine):
    """∂/∂x of u(x) − u(x + 1) is u'(x) − u'(x + 1); at a place that moves otherwise it is refused."""
    box = Box(x=(0, 1))
    rows = lambda u, right: u - right.u  # noqa: E731
    constraint = Constraint(box, rows, points=5, sobolev=(1.0, 1.0), places={"right": PLACES["right"]})
    residuals = Residuals(MLP(1, 2, 4, 1), OneInput(lambda: constraint), ENGINES[engine]())
    x = torch.linspace(0, 1, 5)
    slope = residuals({"all": {"x": x}})["all"][1]
    with torch.enable_grad():
        here = x.clone().requires_grad_()
        difference = residuals.network(here[:, None])[:, 0] - residuals.network(here[:, None] + 1)[:, 0]
        (expected,) = torch.autograd.grad(difference.sum(), here)
    assert torch.allclose(slope, expected / math.sqrt(5), rtol=0, atol=1e-14)
    constraint = Constraint(
        box, lambda u, right: u - right.u, points=5, sobolev=(1.0, 1.0), places={"right": PLACES["mirror"]}
    )
    with pytest.raises(UserError, match="does not keep its distance"):
        Residuals(MLP(1, 2, 4, 1), OneInput(lambda: constraint), ENGINES[engine]())


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (lambda x: x + 1, "returns a dictionary"),
        (lambda x: {"y": x}, "'y' is not among the inputs"),
        (lambda x: {"x": 1.0}, "one value for each point"),
        (lambda z: {"x": z}, "asks for 'z'"),
    ],
    ids=["tensor", "no input", "number", "no column"],
)
def test_a_place_that_is_none_is_refused(place, message):
    constraint = Constraint(Box(x=(0, 1)), lambda u, there: u - there.u, points=5, places={"there": place})
    with pytest.raises(UserError, match=message):
        Residuals(MLP(1, 2, 4, 1), OneInput(lambda: constraint), NTP())


@pytest.mark.parametrize("name", ["u", "x", "p", "two words"])
def test_a_place_has_a_name_of_its_own(name):
    constraint = Constraint(Box(x=(0, 1)), lambda u: u, points=5, places={name: Shift(x=1.0)})
    with pytest.raises(UserError, match=name):
        Residuals(MLP(1, 2, 4, 1), OneInput(lambda: constraint), NTP())


def test_a_network_that_mixes_points_is_refused_where_rows_may():
    residuals, points, _ = made("mean", Autograd(), network=nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4)))
    residuals.network.append(nn.Linear(4, 2))
    with pytest.raises(UserError, match="the network mixes points"):
        inspect(residuals, points)


class Mean(Equation):
    """u − 3 mean(u) = x − 3/2 has the solution u = x."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, nodes):
        super().__init__()
        self.nodes = nodes

    def constraints(self):
        return {"all": Whole(self.nodes, lambda u, x: u - 3 * u.mean() - (x - 1.5), points=65)}

    def exact(self, x):
        return x


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("nodes", [PointSet(x=torch.linspace(0, 1, 41)), Box(x=(0, 1))], ids=["given", "sampled"])
def test_mean_values_are_found(nodes, engine):
    solution = pinnlab.solve(
        Mean(nodes), lambda i, o: MLP(i, o, 8, 1), ENGINES[engine](), GaussNewton(steps=60), accelerator="cpu"
    )
    # the mean over a fresh sample of nodes is another one: that of 65 Sobol points is 1/2 to 1/130
    assert float(solution.metrics["max_error"]) < (1e-5 if nodes.given else 2e-2)


@pytest.mark.long
def test_first_order_phases_train_all_kinds():
    class Eigen(Equation):
        inputs, outputs = ("x",), ("u",)

        def __init__(self):
            super().__init__()
            self.lam = Unknown(9.0, truth=math.pi**2)
            self.rule = Rule(12)

        def constraints(self):
            box = Box(x=(0, 2))
            return {
                "interior": Constraint(box, lambda u, x, lam: 4 * u.d(x, x) + lam * u),
                "mirror": Constraint(box, lambda u, m: u - m.u, places={"m": lambda x: {"x": 2 - x}}),
                "ends": Constraint(box.faces("x"), lambda u: u),
                "norm": Whole(self.rule, lambda u, weight: (weight * u * u).sum() - 1),
            }

    solution = pinnlab.solve(
        Eigen(), lambda i, o: MLP(i, o, 12, 2), phases=[Adam(steps=200), LBFGS(steps=150)], accelerator="cpu"
    )
    assert float(solution.metrics["error_lam"]) < 1e-2
    assert abs(float(solution.metrics["residual_norm"])) < 1e-2


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_periodic_conditions_match_values_and_derivatives(factor):
    box = Box(t=(0, 1), x=(0, 2))
    constraint = periodic(box, "x", "u", "v", order=2, factor=factor, points=5)
    residuals = Residuals(MLP(2, 2, 5, 1), TwoInputs(lambda: constraint), NTP())
    t = torch.rand(5)
    block = residuals({"all": {"t": t, "x": torch.zeros(5)}})["all"] * math.sqrt(5)
    ends = [residuals.fields({"t": t, "x": torch.full((5,), x)}, residuals.terms["all"].indices) for x in (0.0, 2.0)]
    expected = [
        ends[0][name].derivative((0, j)) - factor * ends[1][name].derivative((0, j))
        for j in range(3)
        for name in ("u", "v")
    ]
    assert torch.allclose(block, torch.stack(expected), rtol=0, atol=1e-14)


def test_a_bloch_wave_satisfies_its_condition():
    """e^{ikx} (2 + cos πx) on [0, 2], as two outputs."""
    k = 0.7

    class Wave(nn.Module):
        def forward(self, points):
            x = points[:, 0]
            amplitude = 2 + torch.cos(math.pi * x)
            return torch.stack([amplitude * torch.cos(k * x), amplitude * torch.sin(k * x)], -1)

    box = Box(x=(0, 2))
    right = bloch(box, "x", "u", "v", phase=2 * k, order=2)
    wrong = bloch(box, "x", "u", "v", phase=2 * k + 0.1, order=2)
    sizes = []
    for constraint in (right, wrong):
        residuals = Residuals(Wave(), OneInput(lambda constraint=constraint: constraint), NTP())
        sizes.append(float(residuals({"all": {"x": torch.zeros(1)}})["all"].abs().max()))
    assert sizes[0] < 1e-13 and sizes[1] > 0.1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda box: periodic(box, "z", "u"), "no axis 'z'"),
        (lambda box: periodic(box, "x"), "name the outputs"),
        (lambda box: periodic(box, "x", "u", order=-1), "cannot be negative"),
        (lambda box: bloch(box, "x", "u", phase=1.0), "pairs of outputs"),
        (lambda box: Shift(), "at least one distance"),
        (lambda box: Shift(x=math.inf), "finite number"),
    ],
    ids=["axis", "outputs", "order", "pairs", "no shift", "infinite"],
)
def test_wrong_periodic_conditions_are_refused(call, message):
    with pytest.raises(UserError, match=message):
        call(Box(x=(0, 2)))
