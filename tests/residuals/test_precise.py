"""Residuals evaluated again in double-double arithmetic."""

import mpmath
import pytest
import torch
from torch import nn

from pinnlab.engines import NTP
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval
from pinnlab.jets import IndexSet
from pinnlab.networks import MLP
from pinnlab.networks.mlp import ACTIVATIONS
from pinnlab.precision import doubled
from pinnlab.problems import SelfSimilarBurgers, ViscousBurgers
from pinnlab.residuals import Residuals
from pinnlab.residuals.precise import Precise, rounding, subsampled
from tests.networks.test_architectures import NETWORKS
from tests.truth import taylor

# functions whose table holds a constant that is rounded to float64
ROUNDED = {"gelu"}


class Cancelling(Equation):
    """A residual that is nothing but what rounding leaves of 1e8 + u'' - 1e8 - u''."""

    inputs, outputs = ("x",), ("u",)

    def constraints(self):
        return {"interior": Constraint(Interval(x=(0.0, 1.0)), self.residual)}

    def residual(self, x, u):
        return ((1e8 + u.d(x, x)) - 1e8) - u.d(x, x)


class Wave(Equation):
    """All kinds of derivatives and functions of two outputs."""

    inputs, outputs = ("t", "x"), ("u", "v")

    def constraints(self):
        return {"interior": Constraint(Box(t=(0, 1), x=(0, 1)), self.residual, sobolev=(1.0, 0.1))}

    def residual(self, t, x, u, v):
        return u.d(t, t) - (1 + v * v) * u.d(x, x), v.d(t) / (2 + u.sin()) + (x * u).d(x).exp() - v.abs() ** 1.5


@pytest.mark.parametrize("name", ["tanh", "sin", "sigmoid", "softplus", "silu", "gelu"])
def test_derivatives_of_networks_have_thirty_digits(name):
    torch.manual_seed(0)
    network, x = MLP(1, 1, width=4, depth=2, activation=name), torch.linspace(-1, 1, 3)
    with torch.no_grad():
        twin = MLP(1, 1, width=4, depth=2, activation=name)
        parameters = {key: doubled(value) for key, value in network.named_parameters()}
        field = NTP().fields(Calls(twin, parameters), {"x": doubled(x)}, ("u",), IndexSet.simplex(1, 7))["u"]
    with mpmath.workdps(45):
        for i, point in enumerate(x.tolist()):
            for k, truth in enumerate(taylor(network, [point], [1.0], 7)):
                found = field.coefficients[k][i]
                error = abs(mpmath.mpf(float(found.high)) + mpmath.mpf(float(found.low)) - truth)
                assert error < (1e-15 if name in ROUNDED else 1e-28)


class Calls(nn.Module):
    """A network called with other parameters."""

    def __init__(self, network, parameters):
        super().__init__()
        self.network, self.values = network, parameters

    def forward(self, x):
        return torch.func.functional_call(self.network, self.values, (x,))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_evaluated_and_agrees(name):
    torch.manual_seed(0)
    residuals = Residuals(NETWORKS[name](2, 2), Wave(), NTP())
    points = {"interior": {"t": torch.rand(5), "x": torch.rand(5)}}
    rounded, exact = residuals(points), Precise(residuals, points).blocks(residuals)
    torch.testing.assert_close(rounded["interior"].detach(), exact["interior"], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "relu"])  # of one derivative
def test_every_activation_is_evaluated_and_agrees(name):
    torch.manual_seed(0)
    residuals = Residuals(MLP(2, 1, 6, 2, activation=name), ViscousBurgers(), NTP())
    points = {
        "interior": {"t": torch.rand(5), "x": torch.rand(5)},
        "initial": {"t": torch.zeros(3), "x": torch.rand(3)},
    }
    rounded, exact = residuals(points), Precise(residuals, points).blocks(residuals)
    for key in points:
        torch.testing.assert_close(rounded[key].detach(), exact[key], rtol=1e-12, atol=1e-13)


def test_what_is_rounding_alone_is_seen_to_be_so():
    torch.manual_seed(0)
    residuals = Residuals(MLP(1, 1, 6, 2), Cancelling(), NTP())
    points = {"interior": {"x": torch.linspace(0, 1, 20)}}
    assert float(residuals(points)["interior"].detach().norm()) > 1e-10
    assert float(Precise(residuals, points).blocks(residuals)["interior"].norm()) < 1e-22


def test_unknowns_and_weighting_are_those_of_the_residuals():
    torch.manual_seed(0)
    residuals = Residuals(MLP(1, 1, 6, 2), SelfSimilarBurgers(3), NTP(), weights={"origin": 0.25})
    points = {"interior": {"X": torch.linspace(-2, 2, 7)}, "origin": {"X": torch.linspace(-0.1, 0.1, 3)}}
    weighting = residuals.weighting.over({"interior": 14.0, "origin": 9.0})
    for key, block in residuals(points, weighting).items():
        torch.testing.assert_close(
            block.detach(), Precise(residuals, points).blocks(residuals, weighting)[key], rtol=1e-11, atol=1e-13
        )


def test_points_are_as_many_as_rounding_errors_need_and_fewer_for_large_networks():
    points = {"interior": {"X": torch.linspace(-2, 2, 1001)}, "ends": {"X": torch.tensor([-2.0, 2.0])}}
    kept = [
        {
            name: len(part["X"])
            for name, part in subsampled(Residuals(network, SelfSimilarBurgers(4), NTP()), points).items()
        }
        for network in (MLP(1, 1, 20, 3), MLP(1, 1, 512, 3))
    ]
    assert kept[0] == {"interior": 100, "ends": 2}
    assert 10 < kept[1]["interior"] < 50
    assert kept[1]["ends"] == 2


def test_a_network_of_single_precision_is_judged_by_the_numbers_that_it_has():
    torch.manual_seed(0)
    residuals = Residuals(MLP(1, 1, 6, 2).float(), SelfSimilarBurgers(1).float(), NTP())
    points = {"interior": {"X": torch.linspace(-2, 2, 7, dtype=torch.float32)}}
    rounded, exact = residuals(points)["interior"], Precise(residuals, points).blocks(residuals)["interior"]
    assert exact.dtype == torch.float64
    assert 1e-10 < float((rounded.detach() - exact).abs().max()) < 1e-5


def test_an_operation_without_a_rule_is_named():
    class Strange(nn.Module):
        def forward(self, x):
            return torch.erfinv(x / 4)

    residuals = Residuals(Strange(), Cancelling(), NTP())
    with pytest.raises(UserError, match="erfinv"):
        Precise(residuals, {"interior": {"x": torch.linspace(0, 1, 3)}})


def test_one_evaluation_serves_the_residual_with_and_without_weights():
    torch.manual_seed(0)
    residuals = Residuals(MLP(2, 2, 5, 2), Wave(), NTP())
    points = {"interior": {"t": torch.rand(7), "x": torch.rand(7)}}
    exactly = Precise(residuals, points)
    for form in (residuals, residuals.unweighted()):
        found, expected = exactly.blocks(form)["interior"], form(points)["interior"].detach()
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)


def test_rounding_is_what_cancellation_leaves_of_the_values():
    class Shifted(nn.Module):
        def forward(self, x):
            return (x + 1e8) - 1e8

    x = torch.tensor([[1 / 3], [0.5]])
    error = rounding(Shifted(), x)
    assert error[1] == 0
    assert float(error[0]) == pytest.approx(float((x[0] + 1e8) - 1e8 - x[0]), rel=1e-6) and error[0] != 0
