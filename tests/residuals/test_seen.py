"""Networks that see the equation's unknowns: derivatives reach the unknowns through the network as well."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

import pinnlab
from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval, PointSet
from pinnlab.networks import MLP, Enriched, Odd, Seen
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian.affinity import check_affine
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.residuals.jacobian.sensitivity import slopes
from pinnlab.residuals.precise import Precise
from pinnlab.solution.export import export
from pinnlab.training import Adam, GaussNewton
from pinnlab.training.evaluation.linear_system import linearise
from tests.truth import agree

SMALL = partial(MLP, width=5, depth=1)
ENGINES = pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["NTP", "Autograd"])
TRUTH = 0.5


class Tail(nn.Module):
    """(1 + x²)^{−1/(1 + λ)} N(x): what the far field is known to be."""

    def __init__(self, inputs, outputs, network=SMALL):
        super().__init__()
        self.seen = Seen("lam")
        self.network = network(inputs, outputs)

    def forward(self, x):
        return torch.exp(-torch.log(1 + x * x) / (1 + self.seen.lam)) * self.network(x)


class Algebraic(Equation):
    """(1 + x²) u' + 2x u/(1 + λ) = 0 on [0, 10] with u(0) = 1 and u(5) measured: u = (1 + x²)^{−1/(1 + λ)}."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, linear=False, other=None):
        super().__init__()
        self.lam = Unknown(1.0, bounds=(0.0, 5.0), truth=TRUTH, linear=linear)
        if other is not None:
            self.mu = Unknown(0.3, linear=other)

    def constraints(self):
        line = Interval(x=(0, 10))
        return {
            "interior": Constraint(line, self.residual, points=30, sobolev=(1.0, 0.1)),
            "start": Constraint(line.face("x", 0), lambda u: u - 1),
            "data": Constraint(PointSet(x=[5.0], m=[26 ** (-1 / (1 + TRUTH))]), lambda u, m: u - m),
        }

    def residual(self, x, u, lam, mu=0.3):
        return (1 + x * x) * u.d(x) + 2 * x * u / (1 + lam) + (mu - 0.3) * torch.exp(-x)

    def exact(self, x):
        return (1 + x * x) ** (-1 / (1 + TRUTH))


POINTS = {
    "interior": {"x": torch.linspace(0, 10, 7).double()},
    "start": {"x": torch.zeros(1).double()},
    "data": {"x": torch.tensor([5.0]).double(), "m": torch.tensor([0.1]).double()},
}


def problem(engine, equation=None, network=Tail):
    torch.manual_seed(1)
    return Residuals(network(1, 1), equation or Algebraic(), engine)


def rows_of(residuals, parameters):
    """All rows with these parameters in place of the module's own."""

    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = residuals

        def forward(self):
            return torch.cat([block.flatten() for block in self.inner(POINTS).values()])

    return functional_call(Rows(), {f"inner.{name}": p for name, p in parameters.items()}, ())


@ENGINES
def test_the_network_has_the_present_value(engine):
    residuals = problem(engine)
    x = torch.rand(4, 1)
    for lam in (1.0, 0.2):
        residuals.equation.lam.parameter.data.fill_(lam)
        expected = (1 + x * x) ** (-1 / (1 + lam)) * residuals.network.network(x)
        torch.testing.assert_close(residuals.function(x), expected)
    assert residuals.network(x).isnan().all()  # nothing is kept in the network itself
    assert not any("seen" in name for name in residuals.state_dict())


@ENGINES
def test_gradients_reach_the_unknown_through_the_network(engine):
    residuals = problem(engine)
    parameter = residuals.equation.lam.parameter

    def loss(value):
        parameter.data.fill_(value)
        return residuals.loss(residuals(POINTS))

    (slope,) = torch.autograd.grad(loss(0.8), parameter)
    quotient = float((loss(0.8 + 1e-5) - loss(0.8 - 1e-5)).detach()) / 2e-5
    assert float(slope) == pytest.approx(quotient, rel=1e-7)


@ENGINES
@pytest.mark.parametrize("network", [Tail, partial(Odd, network=Tail)], ids=["outermost", "within"])
def test_the_jacobian_is_that_of_reverse_mode_through_everything(engine, network):
    residuals = problem(engine, network=network)
    parameters = {name: p.detach() for name, p in residuals.named_parameters()}
    found = Linearisation(residuals, parameters, POINTS)
    jacobian = found.jacobian().dense()
    leaves = {name: p.clone().requires_grad_() for name, p in parameters.items()}
    vector = rows_of(residuals, leaves)
    agree(found.vector, vector, 1e-12)
    slow = torch.stack(
        [
            torch.cat([g.flatten() for g in torch.autograd.grad(row, list(leaves.values()), retain_graph=True,
                                                                 materialize_grads=True, allow_unused=True)])
            for row in vector
        ]
    )  # fmt: skip
    agree(jacobian, slow, 1e-12)
    column = list(parameters).index("equation.lam.parameter")
    start = sum(p.numel() for p in list(parameters.values())[:column])
    agree(slopes(residuals, POINTS)["lam"], slow[:, start], 1e-12)


@ENGINES
def test_beside_a_linear_unknown(engine):
    residuals = problem(engine, Algebraic(other=True))
    parameters = {name: p.detach() for name, p in residuals.named_parameters() if p.requires_grad}
    assert "equation.mu.parameter" not in parameters

    def reduced(at):
        with torch.no_grad():
            return Linearisation(residuals, at, POINTS).vector

    found = Linearisation(residuals, parameters, POINTS)
    gradient = 2 * found.jacobian().dense().mT @ found.vector
    step = 1e-6
    for i, (name, p) in enumerate(parameters.items()):
        if p.numel() == 1 and name.startswith("equation"):
            ends = [reduced({**parameters, name: p + s}).square().sum() for s in (step, -step)]
            start = sum(q.numel() for q in list(parameters.values())[:i])
            assert float(gradient[start]) == pytest.approx(float(ends[0] - ends[1]) / (2 * step), rel=1e-5)


def test_an_unknown_in_an_exponent_is_not_linear():
    residuals = problem(NTP(), Algebraic(linear=True))
    with pytest.raises(UserError, match=r"'start': the residual is not affine in lam, declared linear|'interior'"):
        check_affine(residuals, POINTS)


def test_a_factor_that_the_network_sees_is_affine_where_the_equation_is():
    class Straight(Equation):
        inputs, outputs = ("x",), ("u",)

        def __init__(self, power):
            super().__init__()
            self.c = Unknown(0.4, linear=True)
            self.power = power

        def constraints(self):
            return {"all": Constraint(Interval(x=(0.1, 1)), lambda x, u: u.d(x) + u**self.power)}

    def residuals(power):
        columns = pinnlab.networks.Columns(["x"])
        network = Enriched(columns, 1, [lambda x: torch.sqrt(x)], ["c"], SMALL)
        return Residuals(network, Straight(power), NTP())

    points = {"all": {"x": torch.linspace(0.1, 1, 9)}}
    check_affine(residuals(1), points)
    with pytest.raises(UserError, match="not affine in c, declared linear"):
        check_affine(residuals(2), points)
    linear = residuals(1)
    piece = linear.affine("all", points["all"], linear.over(points)["all"])
    for value in (0.0, 1.3):
        linear.equation.c.parameter.data.fill_(value)
        agree(piece.at({"c": value}), linear(points)["all"], 1e-12)


def test_an_unknown_that_the_equation_lacks_is_named():
    class Line(Equation):
        inputs, outputs = ("x",), ("u",)

        def constraints(self):
            return {"all": Constraint(Interval(x=(0, 1)), lambda u: u)}

    with pytest.raises(UserError, match="the network sees the unknown 'lam', which the equation lacks"):
        Residuals(Tail(1, 1), Line(), NTP())
    with pytest.raises(UserError, match="cannot be called 'forward'"):
        Seen("forward")
    with pytest.raises(UserError, match="needs the name"):
        Seen()


def test_errors_of_outputs_know_the_way_through_the_network():
    residuals = problem(NTP())
    system = linearise(residuals, POINTS)
    places = torch.rand(5, 1)
    functions = system.functions(places)
    assert functions.shape == (5 + 1, len(system.chosen) + 1)
    lam = residuals.equation.lam.parameter
    with torch.no_grad():
        before = residuals.function(places)
        lam += 1e-6
        quotient = (residuals.function(places) - before)[:, 0] / 1e-6
        lam -= 1e-6
    torch.testing.assert_close(functions[:5, -1] / system.scales[0], quotient, rtol=1e-4, atol=1e-6)
    z = torch.zeros(len(system.chosen) + 1)
    z[-1] = 2.0
    shift = system.shifts(z, places, torch.ones(5, 1))
    expected = torch.stack([2 * system.scales[0], 2 * functions[:5, -1].abs().max()])
    torch.testing.assert_close(shift, expected, rtol=1e-6, atol=0)


def test_double_double_residuals_are_the_same():
    residuals = problem(NTP())
    exact = Precise(residuals, POINTS).blocks(residuals)
    for name, block in residuals(POINTS).items():
        torch.testing.assert_close(exact[name], block.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.long
@ENGINES
def test_an_exponent_of_the_far_field_is_found(engine, tmp_path):
    solution = pinnlab.solve(Algebraic(), Tail, engine, GaussNewton(25), folder=tmp_path / "run")
    assert solution.metrics["error_lam"] < 1e-9
    assert solution.metrics["max_error"] < 1e-9
    assert max(solution.metrics["uncertainty_lam"], solution.metrics["uncertainty_u"]) < 1e-5
    x = np.linspace(0, 10, 5)
    again = pinnlab.load(tmp_path / "run", network=Tail, equation=Algebraic())
    np.testing.assert_array_equal(again(x=x), solution(x=x))
    export(solution.model, ["u_x"], tmp_path / "tail.pt2")
    values = torch.export.load(tmp_path / "tail.pt2").module()(torch.tensor(x)[:, None])
    np.testing.assert_allclose(values["u_x"], solution.d("x", x=x), rtol=1e-12, atol=1e-14)
    # a further run begins where this one is, unknown and all
    further = pinnlab.solve(Algebraic(), Tail, engine, Adam(1, lr=1e-300), start=solution)
    np.testing.assert_array_equal(further(x=x), solution(x=x))
    # and another solve of the same equation leaves this one alone
    equation = Algebraic()
    first = pinnlab.solve(equation, Tail, engine, Adam(1), points={"interior": 5})
    before = first(x=x)
    pinnlab.solve(equation, Tail, engine, Adam(9), points={"interior": 5})
    np.testing.assert_array_equal(first(x=x), before)
    np.testing.assert_array_equal(copy.deepcopy(first)(x=x), before)
