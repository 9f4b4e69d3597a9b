"""Every network and activation is an ordinary module that jets run through, exactly."""

import mpmath
import pytest
import torch

from pinnlab.engines import NTP, Autograd
from pinnlab.errors import UserError
from pinnlab.jets import IndexSet, Jet
from pinnlab.networks import (
    MLP,
    SIREN,
    Factorised,
    Fourier,
    GatedMLP,
    Periodic,
    PirateNet,
    Product,
    RandomFeatures,
    ResidualMLP,
)
from pinnlab.networks.mlp import ACTIVATIONS, activation

NETWORKS = {
    "siren": lambda i, o: SIREN(i, o, width=8, depth=2, frequency=3.0),
    "gated": lambda i, o: GatedMLP(i, o, width=8, depth=2),
    "pirate": lambda i, o: PirateNet(i, o, width=8),
    "residual": lambda i, o: ResidualMLP(i, o, width=8),
    "normalised": lambda i, o: ResidualMLP(i, o, width=8, normalise=True),
    "fourier": lambda i, o: Fourier(i, o, features=8),
    "factorised": lambda i, o: Factorised(i, o),
    "periodic": lambda i, o: Periodic(i, o, {1: 2.0}, harmonics=2),
    "features": lambda i, o: RandomFeatures(i, o, features=8, scale=2.0),
    "product": lambda i, o: Product(i, o, rank=4),
    "adaptive": lambda i, o: MLP(i, o, 8, 2, activation="adaptive_tanh"),
    "gaussian": lambda i, o: MLP(i, o, 8, 2, activation="gaussian"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_derivatives_and_gradients_agree_with_nested_autograd(name):
    torch.manual_seed(0)
    network = NETWORKS[name](2, 2)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    points = {"x": torch.rand(6), "y": torch.rand(6)}
    indices = IndexSet.closure([(3, 0), (1, 2)])
    seen = []
    for engine in (NTP(), Autograd()):
        fields = engine.fields(network, points, ("u", "v"), indices)
        values = torch.stack([fields[o].derivative(alpha) for o in ("u", "v") for alpha in indices])
        gradients = torch.autograd.grad(values.square().mean(), list(network.parameters()), materialize_grads=True)
        seen.append((values.detach(), torch.cat([g.flatten() for g in gradients])))
    for jet, nested in zip(*seen, strict=True):
        torch.testing.assert_close(jet, nested, rtol=0, atol=1e-10 * float(nested.abs().max()))


def test_a_periodic_network_is_periodic_in_every_derivative():
    network = Periodic(2, 1, {1: 2.0}, harmonics=3)
    x = torch.rand(5, 2)
    indices = IndexSet.simplex(2, 4)
    here, there = (network(Jet.seed(p, indices)).coefficients for p in (x, x + torch.tensor([0.0, 2.0])))
    torch.testing.assert_close(here, there, rtol=0, atol=1e-10 * float(here.detach().abs().max()))


def test_a_factorised_network_begins_as_the_network():
    x = torch.rand(4, 2)
    torch.manual_seed(0)
    plain = MLP(2, 1)
    torch.manual_seed(0)
    torch.testing.assert_close(Factorised(2, 1)(x), plain(x))


def test_a_pirate_network_begins_linear_in_its_embedding():
    network = PirateNet(1, 1, width=8)
    x = torch.rand(4, 1)
    torch.testing.assert_close(network(x), network.last(network.embedding(x)))


def test_random_features_have_the_spread_they_are_asked_for_and_are_not_trained():
    network = RandomFeatures(4, 1, features=20_000, scale=3.0)
    assert float(network.weight.std()) == pytest.approx(3 / 2, rel=0.02)
    assert float(network.bias.std()) == pytest.approx(3, rel=0.02)
    assert {name for name, _ in network.named_parameters()} == {"last.weight", "last.bias"}
    twin = RandomFeatures(4, 1, features=20_000)
    twin.load_state_dict(network.state_dict())
    x = torch.rand(3, 4)
    assert torch.equal(twin(x), network(x))


def test_wrong_options_are_said():
    for options in ({"features": 0}, {"scale": 0.0}, {"scale": float("nan")}):
        with pytest.raises(UserError, match="positive number and scale"):
            RandomFeatures(1, 1, **options)
    with pytest.raises(UserError, match="pairs"):
        Fourier(1, 1, features=3)
    with pytest.raises(UserError, match="positive periods"):
        Periodic(1, 1, {2: 1.0})
    with pytest.raises(UserError, match="two parts"):
        Product(1, 1)


def _sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


TRUTH = {
    "tanh": mpmath.tanh,
    "sin": mpmath.sin,
    "sigmoid": _sigmoid,
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "silu": lambda x: x * _sigmoid(x),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "mish": lambda x: x * mpmath.tanh(mpmath.log(1 + mpmath.exp(x))),
    "exp": mpmath.exp,
    "gaussian": lambda x: mpmath.exp(-x * x / 2),
    "softsign": lambda x: x / (1 + x) if x > 0 else x / (1 - x),
    "adaptive_tanh": mpmath.tanh,
}


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_order_twelve_is_exact_to_rounding(name):
    x = torch.tensor([-1.7, -0.6, 0.35, 0.9, 2.1])
    jet = activation(name)(Jet.seed(x[:, None], IndexSet.simplex(1, 12))[:, 0])
    with mpmath.workdps(50):
        truth = torch.tensor([[float(c) for c in mpmath.taylor(TRUTH[name], float(p), 12)] for p in x]).T
    error = (jet.coefficients.detach() - truth).abs().amax(-1) / truth.abs().amax(-1)
    assert float(error.max()) < 1e-10


def test_every_smooth_activation_has_a_truth():
    assert set(TRUTH) - {"adaptive_tanh"} == set(ACTIVATIONS) - {"relu"}
