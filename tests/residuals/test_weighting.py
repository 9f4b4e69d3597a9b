"""Every factor on a residual row, against losses written out by hand."""

import functools

import pytest
import torch
from torch import nn

from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval
from pinnlab.networks import MLP
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.residuals.jacobian.sensitivity import slopes
from pinnlab.residuals.precise import Precise

ENGINES = pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["NTP", "Autograd"])
POINTS = {"interior": {"x": torch.linspace(0, 1, 9).double()}, "left": {"x": torch.linspace(0, 0.1, 4).double()}}


class Oscillator(Equation):
    """a u'' + u³ = 1 with one linear unknown and one that is not linear."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self):
        super().__init__()
        self.a, self.c = Unknown(0.5, bounds=(-10, 10), linear=True), Unknown(0.7)

    def constraints(self):
        return {
            "interior": Constraint(Interval(x=(0, 1)), self.residual, sobolev=(2.0, 0.1), weight=3.0),
            "left": Constraint(Interval(x=(0, 0.1)), lambda x, u, a: (u + a * u.d(x), u.d(x))),
        }

    def residual(self, x, u, a, c):
        return a * u.d(x, x) + c * u**3 - 1


class Odd(nn.Module):
    """A network with a trained parameter outside of linear layers."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.inner, self.shift = nn.Linear(inputs, 5), nn.Parameter(torch.full((5,), 0.3))
        self.outer = nn.Linear(5, outputs)

    def forward(self, x):
        return self.outer(torch.tanh(self.inner(x) + self.shift))


def problem(engine, network=None):
    torch.manual_seed(2)
    return Residuals((network or functools.partial(MLP, width=5))(1, 1), Oscillator(), engine)


def balanced(residuals):
    points = {"interior": torch.linspace(0.5, 2.0, 9)}
    return residuals.over(POINTS).times({"left": 5.0}).balanced({"left": 7.0, "interior": 1.5}, points)


@ENGINES
def test_the_loss_is_the_product_of_all_factors(engine):
    residuals = problem(engine)
    plain = residuals.unweighted()(POINTS, residuals.unweighted().weighting)
    both = Residuals(residuals.network, residuals.equation, engine, weights={"interior": 1.0, "left": 1.0})
    f, slope = both(POINTS, both.weighting)["interior"].detach() / torch.tensor([2.0, 0.1]).sqrt()[:, None]
    torch.testing.assert_close(f, plain["interior"][0].detach())
    v = torch.linspace(0.5, 2.0, 9)
    expected = {
        "interior": 3.0 * 1.5 * (v * (2.0 * f**2 + 0.1 * slope**2)).sum() / 9,
        "left": 5.0 * 7.0 * plain["left"].detach().square().sum() / 4,
    }
    for name, block in residuals(POINTS, balanced(residuals)).items():
        torch.testing.assert_close(block.detach().square().sum(), expected[name], rtol=1e-12, atol=0)


@ENGINES
@pytest.mark.parametrize("held", [True, False], ids=["held", "projected"])
@pytest.mark.parametrize("network", [functools.partial(MLP, width=5), Odd], ids=["copies", "mapped"])
def test_weights_scale_residuals_and_jacobian_alike(engine, held, network):
    """√W J of least squares with weights W: the Jacobian of what the loss is made of."""
    residuals = problem(engine, network)
    trained = {name: p.detach() for name, p in residuals.network.named_parameters()}
    trained = {f"network.{name}": p for name, p in trained.items()}
    weighting = balanced(residuals)
    found = Linearisation(residuals, trained, POINTS, weighting, held=held)
    reduced = residuals.reduced(POINTS, weighting)
    blocks = residuals(POINTS, weighting) if held else reduced.blocks
    torch.testing.assert_close(found.vector, torch.cat([b.detach().flatten() for b in blocks.values()]))
    loss = residuals.loss(blocks)
    gradient = torch.autograd.grad(loss, list(residuals.network.parameters()))
    flat = torch.cat([g.flatten() for g in gradient])
    # at the least-squares values of the unknowns the residual is orthogonal to what the Jacobian is projected off
    torch.testing.assert_close(2 * found.jacobian().dense().mT @ found.vector, flat, rtol=1e-9, atol=1e-12)


@ENGINES
def test_linear_unknowns_are_those_of_the_weighted_rows(engine):
    residuals, weights = problem(engine), []
    residuals.equation.a.parameter.requires_grad_()
    for weighting in (residuals.over(POINTS), balanced(residuals)):
        value = residuals.reduced(POINTS, weighting).values["a"]
        with torch.no_grad():
            residuals.equation.a.parameter.fill_(value)
        loss = residuals.loss(residuals(POINTS, weighting))
        (slope,) = torch.autograd.grad(loss, residuals.equation.a.parameter)
        assert float(slope) == pytest.approx(0, abs=1e-10)
        weights.append(value)
    assert abs(weights[0] - weights[1]) > 1e-3


def test_sensitivities_and_precise_blocks_have_the_same_weights():
    residuals = problem(NTP())
    weighting = balanced(residuals)
    root = {name: weighting[name].root for name in POINTS}
    plain, weighted = slopes(residuals, POINTS, weighting.fixed), slopes(residuals, POINTS, weighting)
    expected = [plain["c"][:18].view(2, 9) * root["interior"], plain["c"][18:] * root["left"]]
    torch.testing.assert_close(weighted["c"], torch.cat([part.flatten() for part in expected]))
    exactly = Precise(residuals, POINTS).blocks(residuals, weighting)
    for name, block in residuals(POINTS, weighting).items():
        torch.testing.assert_close(exactly[name], block.detach(), rtol=1e-11, atol=1e-13)


def test_what_balancing_did_is_undone():
    residuals = problem(NTP())
    weighting = balanced(residuals)
    plain = residuals(POINTS, weighting.fixed)
    for name, block in weighting.unbalanced(residuals(POINTS, weighting)).items():
        torch.testing.assert_close(block, plain[name], rtol=1e-14, atol=0)
    # a weight that is zero, as a causal one may be, leaves the digits of its row
    none = residuals.over(POINTS).balanced({}, {"interior": torch.zeros(9)})
    torch.testing.assert_close(none.unbalanced(residuals(POINTS, none))["interior"], plain["interior"])
    assert float(residuals.loss(residuals({"interior": POINTS["interior"]}, none)).detach()) < 1e-150


def test_weightings_are_values_that_can_be_compared():
    residuals = problem(NTP())
    one = residuals.over(POINTS)
    assert one.same(residuals.over(POINTS)) and one.same(one.balanced({}, {}))
    others = [
        residuals.weighting,
        one.times({"left": 2.0}),
        one.balanced({"left": 2.0}, {}),
        one.balanced({}, {"left": torch.ones(4)}),
    ]
    assert not any(one.same(other) or other.same(one) for other in others)
    assert balanced(residuals).same(balanced(residuals)) and balanced(residuals).fixed.same(one.times({"left": 5.0}))
    assert not others[-1].same(one.balanced({}, {"left": torch.full((4,), 2.0)}))
    assert residuals.weighting["left"].count == 1 and one["left"].count == 4


class Counting(Oscillator):
    built = 0

    def constraints(self):
        self.built += 1
        return super().constraints()


def test_constraints_are_built_once_for_an_evaluation():
    residuals = Residuals(MLP(1, 1, width=5), Counting(), NTP())
    before = residuals.equation.built
    residuals(POINTS)
    assert residuals.equation.built == before + 1
    residuals.reduced(POINTS)
    assert residuals.equation.built == before + 2
