"""The contract of engines: the same residual gives the same numbers under each."""

import math

import pytest
import torch
from torch import nn

from pinnlab.engines import NTP, Autograd
from pinnlab.errors import UserError
from pinnlab.jets import Field, IndexSet
from pinnlab.jets.functions.faa_di_bruno import faa_di_bruno
from pinnlab.networks import MLP
from pinnlab.renamed import with_new_names
from pinnlab.reporting.description import build
from tests.truth import agree

ENGINES = {"recurrence": NTP(), "partitions": NTP("faa_di_bruno"), "autograd": Autograd()}
INDICES = IndexSet.simplex(2, 4)


@pytest.fixture(params=ENGINES)
def engine(request):
    return ENGINES[request.param]


def fields(engine, network=None, indices=INDICES, outputs=("u", "v")):
    torch.manual_seed(5)
    network = network or MLP(2, len(outputs), width=5, depth=2)
    return engine.fields(network, {"t": torch.rand(4), "x": torch.rand(4)}, outputs, indices)


RESIDUALS = {
    "burgers": lambda t, x, u, v: u.d(t) + u * u.d(x) - 0.1 * u.d(x, x),
    "products_differentiated": lambda t, x, u, v: (u * v * torch.sin(x)).d(x, t),
    "quotient_and_powers": lambda t, x, u, v: (u**3 / (1 + v**2)).d(x) + (1 + u * u) ** -1.5,
    "functions_of_derivatives": lambda t, x, u, v: torch.exp(u.d(x)).d(t) * torch.tanh(v.d(t)),
    "methods": lambda t, x, u, v: u.sin().square() + v.exp().d(x) - u.reciprocal(),
    "reflected": lambda t, x, u, v: 1 - 2 / (3 + u) + torch.linspace(0, 1, 4) * v.d(x, x),
    "stacked": lambda t, x, u, v: torch.stack([u, v], -1).sum(-1).d(x) + torch.cat([u[:, None], v[:, None]], 1)[:, 0],
    "coordinates": lambda t, x, u, v: (x * x * t).d(x) * u + x.d(x) - t.d(x),
    "where": lambda t, x, u, v: torch.where(x.value > 0.5, u.d(x), v.d(t)),
    "absolute": lambda t, x, u, v: abs(u - 3).d(x) + torch.sign(v - 3) * v,
    "constant_part": lambda t, x, u, v: u + torch.ones_like(u).d(x) + torch.zeros_like(v),
}


@pytest.mark.parametrize("name", RESIDUALS)
def test_a_residual_gives_the_same_numbers_and_derivatives_under_each_engine(name):
    results = {key: RESIDUALS[name](**fields(engine)) for key, engine in ENGINES.items()}
    for alpha in IndexSet.simplex(2, 2):
        truth = results["autograd"].derivative(alpha)
        for key in ("recurrence", "partitions"):
            agree(results[key].derivative(alpha), truth, 1e-11, (key, alpha))


def test_fields_hold_values_and_coordinates(engine):
    network = MLP(2, 2, width=5)
    found = fields(engine, network)
    assert list(found) == ["t", "x", "u", "v"]
    assert all(isinstance(field, Field) and field.shape == (4,) for field in found.values())
    plain = network(torch.stack([found["t"].value, found["x"].value], -1))
    torch.testing.assert_close(found["u"].value, plain[:, 0])
    torch.testing.assert_close(found["v"].value, plain[:, 1])
    assert (found["t"].axis, found["x"].axis, found["u"].axis) == (0, 1, None)
    assert (found["x"] + 0).axis is None


def test_constants_differentiate_to_explicit_zeros(engine):
    f = fields(engine)
    for constant in (f["x"].d(x := f["x"]), f["t"].d(x), torch.zeros_like(f["u"]), 0 * f["u"] + 2, torch.sign(f["u"])):
        for field in (constant.d(x), constant.d(x, f["t"])):
            assert field.value.shape == (4,)
            assert not field.value.any()
        assert not constant.derivative((1, 1)).any()


class Affine(nn.Module):
    """Linear in x alone, so that its second derivatives need no graph."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        return self.slope * x[:, 1:]


def test_a_network_that_is_linear_has_zero_second_derivatives(engine):
    f = fields(engine, Affine(), outputs=("u",))
    assert f["u"].d(f["x"]).value.tolist() == [2.0] * 4
    for field in (f["u"].d(f["t"]), f["u"].d(f["x"], f["x"]), f["u"].d(f["x"], f["t"], f["x"])):
        assert not field.value.any()


def test_derivatives_need_no_gradient_mode(engine):
    network = MLP(2, 2, width=5)
    with torch.no_grad():
        f = fields(engine, network)
        found = (f["u"] * f["u"]).d(f["x"], f["x"]).value
    f = fields(engine, network)
    truth = (f["u"] * f["u"]).d(f["x"], f["x"]).value
    assert truth.abs().max() > 0
    torch.testing.assert_close(found, truth)


def test_points_are_left_alone(engine):
    x = torch.rand(4)
    engine.fields(MLP(1, 1), {"x": x}, ("u",), IndexSet.simplex(1, 1))["u"].value.sum().backward()
    assert not x.requires_grad
    assert x.grad is None


def test_layer_normalisation_has_right_third_derivatives(engine):
    """Torch's own kernel has not: against central differences of the second derivative."""
    network = nn.Sequential(nn.Linear(1, 4), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 1))
    x, h = torch.rand(5), 1e-5
    third = IndexSet.simplex(1, 3)

    def derivative(points, order):
        return engine.fields(network, {"x": points}, ("u",), third)["u"].derivative((order,)).detach()

    agree(derivative(x, 3), (derivative(x + h, 2) - derivative(x - h, 2)) / (2 * h), 1e-6)


@pytest.mark.parametrize("expression", [lambda u, x: 2 * x, lambda u, x: u, lambda u, x: "x", lambda u, x: 1.0])
def test_only_coordinates_can_be_differentiated_along(engine, expression):
    f = fields(engine)
    with pytest.raises(UserError, match="coordinates only"):
        f["u"].d(expression(f["u"], f["x"]))


def test_branching_is_refused(engine):
    u = fields(engine)["u"]
    for branch in (bool, float, int, math.sin, lambda u: 1 if u else 0):
        with pytest.raises(UserError, match="cannot branch on values"):
            branch(u)


@pytest.mark.parametrize(
    "network", [MLP(2, 1), MLP(2, 3), nn.Sequential(MLP(2, 1), nn.Flatten(0))], ids=["few", "many", "flat"]
)
def test_a_network_with_other_columns_is_refused(engine, network):
    with pytest.raises(UserError, match=r"returned the shape .*; the outputs u, v need \(N, 2\)"):
        fields(engine, network.double())


@pytest.mark.parametrize("path", ["NTP", "pinnlab.engines.NTP"])
def test_the_former_name_of_the_composition_is_told(path, caplog):
    read = with_new_names({"class_path": path, "init_args": {"rule": "faa_di_bruno"}})
    assert read["init_args"] == {"composition": "faa_di_bruno"}
    assert "rule of NTP is an old name: write composition" in caplog.text
    assert (
        build({"class_path": "pinnlab.engines.NTP", "init_args": {"rule": "faa_di_bruno"}}).composition is faa_di_bruno
    )


def test_an_unknown_composition_is_refused():
    with pytest.raises(UserError, match=r"no composition 'fast'; choose one of recurrence, faa_di_bruno"):
        NTP("fast")  # type: ignore[arg-type]


def test_too_many_derivatives_of_relu_are_refused():
    with pytest.raises(UserError, match="relu has no derivatives beyond the first"):
        fields(NTP(), MLP(2, 2, activation="relu"))


def test_the_autograd_engine_takes_what_has_no_rule():
    f = fields(Autograd())
    assert torch.special.bessel_j0(f["u"]).d(f["x"]).value.shape == (4,)
