"""Networks: shapes, symmetries, given Taylor coefficients, and how they are built."""

import math
from functools import partial
from typing import ClassVar

import pytest
import torch
from torch import nn

from pinnlab.engines import NTP, Autograd
from pinnlab.errors import UserError
from pinnlab.jets import IndexSet, Jet
from pinnlab.networks import MLP, Even, Odd, Sine, Taylor
from pinnlab.networks.mlp import ACTIVATIONS, activation
from tests.conformance import Conformance, Vectorised

SMALL = partial(MLP, width=4, depth=1)
NETWORKS = {
    "mlp": SMALL,
    "odd": lambda inputs, outputs: Odd(inputs, outputs, SMALL),
    "even": lambda inputs, outputs: Even(inputs, outputs, SMALL),
}
ONE_INPUT = {
    "taylor": lambda inputs, outputs: Taylor(inputs, outputs, (0.5, -1.0, 0.25), SMALL),
    "taylor_of_even": lambda inputs, outputs: Taylor(inputs, outputs, (0.0, -1.0, 0.0), NETWORKS["even"]),
}


class TestByJets(Conformance, Vectorised):
    engine = NTP()
    subjects: ClassVar = NETWORKS


class TestByAutograd(Conformance):
    engine = Autograd()
    subjects: ClassVar = NETWORKS


class TestOneInputByJets(Conformance, Vectorised):
    engine = NTP()
    subjects: ClassVar = ONE_INPUT
    dimensions = (1,)


class TestOneInputByAutograd(Conformance):
    engine = Autograd()
    subjects: ClassVar = ONE_INPUT
    dimensions = (1,)


@pytest.mark.parametrize("build", [MLP, *NETWORKS.values()])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (3, 2)])
def test_shapes(build, inputs, outputs):
    assert build(inputs, outputs)(torch.rand(5, inputs)).shape == (5, outputs)


def test_an_mlp_has_the_layers_it_is_asked_for():
    network = MLP(2, 3, width=7, depth=4, activation="sin")
    sizes = [(layer.in_features, layer.out_features) for layer in network if isinstance(layer, nn.Linear)]
    assert sizes == [(2, 7), (7, 7), (7, 7), (7, 7), (7, 3)]
    assert sum(isinstance(layer, Sine) for layer in network) == 4
    paper = MLP(1, 1)
    assert sum(p.numel() for p in paper.parameters()) == 24 * 2 + 2 * 24 * 25 + 25


@pytest.mark.parametrize(("kind", "sign"), [(Odd, -1), (Even, 1)])
def test_parities_are_exact(kind, sign):
    network = kind(2, 2, partial(MLP, initialisation="kaiming_uniform"))  # zero biases leave tanh no even part
    x = torch.randn(50, 2)
    assert torch.equal(network(-x), sign * network(x))
    indices = IndexSet.simplex(2, 4)
    at_zero = network(Jet.seed(torch.zeros(1, 2), indices))
    for alpha in indices:
        if (-1) ** sum(alpha) != sign:
            assert not at_zero.derivative(alpha).any(), alpha
        else:
            assert at_zero.derivative(alpha).any(), alpha


def test_given_taylor_coefficients_are_exact():
    coefficients = (0.3, -1.0, 0.0, 0.7)
    network = Taylor(1, 2, coefficients)
    jet = network(Jet.seed(torch.zeros(1, 1), IndexSet.simplex(1, 4)))
    assert torch.equal(jet.coefficients[:4, 0], torch.tensor(coefficients)[:, None].expand(4, 2))
    torch.testing.assert_close(jet.coefficients[4], network.network(torch.zeros(1, 1)))
    x = torch.rand(5, 1)
    powers = sum(c * x**j for j, c in enumerate(coefficients))
    torch.testing.assert_close(network(x), powers + x**4 * network.network(x))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_has_a_jet_rule(name):
    network = MLP(1, 1, width=3, depth=1, activation=name)
    order = 1 if name == "relu" else 5
    assert network(Jet.seed(torch.rand(4, 1), IndexSet.simplex(1, order))).indices.order == order


def test_sine_scales_its_argument():
    x = torch.rand(4)
    assert torch.equal(Sine(3.0)(x), torch.sin(3 * x))
    assert torch.equal(Sine()(x), torch.sin(x))


def test_parameters_take_the_default_dtype_and_all_its_digits():
    network = MLP(2, 1)
    for parameter in network.parameters():
        assert parameter.dtype == torch.float64
    weight = network[0].weight
    assert not torch.equal(weight.float().double(), weight)  # not float32 draws in disguise
    torch.set_default_dtype(torch.float32)
    assert MLP(2, 1)[0].weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("how", "variance"),
    [
        ("xavier_uniform", lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
        ("xavier_normal", lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
        ("lecun_normal", lambda fan_in, fan_out: 1 / fan_in),
        ("kaiming_uniform", lambda fan_in, fan_out: 1 / (3 * fan_in)),
    ],
)
def test_initialisations_have_their_variance(how, variance):
    network = MLP(300, 1, width=100, depth=1, initialisation=how)
    assert float(network[0].weight.detach().std()) == pytest.approx(math.sqrt(variance(300, 100)), rel=0.03)
    assert bool((network[0].bias == 0).all()) == (how != "kaiming_uniform")


def test_the_same_seed_builds_the_same_network():
    torch.manual_seed(3)
    first = MLP(1, 1).state_dict()
    torch.manual_seed(3)
    second = MLP(1, 1).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("message", "build"),
    [
        ("positive sizes", lambda: MLP(0, 1)),
        ("positive sizes", lambda: MLP(1, 1, width=0)),
        ("positive sizes", lambda: MLP(1, 1, depth=-1)),
        ("no activation is called 'tan'.*tanh", lambda: MLP(1, 1, activation="tan")),
        ("no activation is called 'x'", lambda: activation("x")),
        ("no initialisation is called 'glorot'", lambda: MLP(1, 1, initialisation="glorot")),  # type: ignore[arg-type]
        ("one input", lambda: Taylor(2, 1, (1.0,))),
        ("at least one coefficient", lambda: Taylor(1, 1, ())),
    ],
)
def test_bad_sizes_and_names_are_refused(message, build):
    with pytest.raises(UserError, match=message):
        build()
