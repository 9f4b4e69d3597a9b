"""Networks in stages: what has not begun takes no part, and begins at zero."""

from functools import partial
from typing import ClassVar

import pytest
import torch
from torch import nn

from pinnlab.engines import NTP, Autograd
from pinnlab.errors import UserError
from pinnlab.networks import (
    MLP,
    SIREN,
    Even,
    Factorised,
    GatedMLP,
    PirateNet,
    Product,
    RandomFeatures,
    Rescaled,
    ResidualMLP,
    Staged,
    Taylor,
)
from tests.conformance import Conformance, Vectorised

SMALL = partial(MLP, width=4, depth=1)


def begun(inputs, outputs):
    """Three stages that all take part."""
    network = Staged(inputs, outputs, [SMALL, partial(SMALL, activation="sin"), SMALL])
    network.scales = [1.0, 0.5, -0.25]
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return network


def reused(inputs, outputs):
    """Corrections of the first stage's hidden layer, of which one has fixed features."""
    network = Staged(inputs, outputs, [SMALL, partial(RandomFeatures, features=5), SMALL], reuse=True)
    network.scales = [1.0, 0.5, -0.25]
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return network


class TestByJets(Conformance, Vectorised):
    engine = NTP()
    subjects: ClassVar = {"staged": begun, "even": lambda i, o: Even(i, o, begun), "reused": reused}


class TestByAutograd(Conformance):
    engine = Autograd()
    subjects: ClassVar = {"staged": begun, "reused": reused}


def test_is_the_sum_of_the_stages_that_have_begun():
    network = begun(2, 3)
    x = torch.rand(5, 2)
    first, second, third = network.stages
    torch.testing.assert_close(network(x), first(x) + 0.5 * second(x) - 0.25 * third(x))
    network.scales = [1.0, 0.5, 0.0]
    third.register_forward_hook(lambda *_: pytest.fail("a stage that has not begun was evaluated"))
    torch.testing.assert_close(network(x), first(x) + 0.5 * second(x))


def test_corrections_can_see_the_last_hidden_layer_of_the_first_stage():
    network = reused(2, 3)
    x = torch.rand(5, 2)
    first, second, third = network.stages
    z = torch.tanh(first[0](x))
    torch.testing.assert_close(network(x), first(x) + 0.5 * second(z) - 0.25 * third(z))
    assert (second.weight.shape, third[0].in_features) == ((5, 4), 4)


@pytest.mark.parametrize(
    "first", [MLP, SIREN, GatedMLP, PirateNet, ResidualMLP, RandomFeatures], ids=lambda build: build.__name__
)
def test_every_network_with_a_last_layer_of_its_own_can_be_reused(first):
    network = Staged(2, 1, [first, RandomFeatures], reuse=True)
    x = torch.rand(5, 2)
    stage = network.stages[0]
    assert torch.equal(stage.last(stage.hidden(x)), stage(x))
    assert torch.equal(network(x), stage(x))


def test_the_first_stage_alone_at_first():
    torch.manual_seed(1)
    alone = SMALL(1, 1)
    torch.manual_seed(1)
    network = Staged(1, 1, [SMALL, SMALL])
    x = torch.rand(5, 1)
    assert network.scales == [1.0, 0.0]
    assert torch.equal(network(x), alone(x))


@pytest.mark.parametrize(
    "stage",
    [
        MLP,
        SIREN,
        GatedMLP,
        PirateNet,
        Product,
        Even,
        lambda i, o: Rescaled(i, o, [0.0, 0.0], [0.1, 0.1]),
        RandomFeatures,
    ],
    ids=["MLP", "SIREN", "GatedMLP", "PirateNet", "Product", "Even", "Rescaled", "RandomFeatures"],
)
def test_a_stage_begins_at_zero_and_can_leave_it(stage):
    network = Staged(2, 1, [SMALL, stage])
    x = torch.rand(5, 2)
    before = network(x)
    network.scales = [1.0, 2.0]
    assert torch.equal(network(x), before)
    gradients = torch.autograd.grad(network(x).sum(), list(network.stages[1].parameters()), materialize_grads=True)
    assert any(gradient.any() for gradient in gradients)


def test_the_scales_are_state():
    network, other = begun(1, 1), Staged(1, 1, [SMALL, partial(SMALL, activation="sin"), SMALL])
    network.scales[1] = 1 / 3
    state = network.state_dict()
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    other.load_state_dict(state)
    x = torch.rand(5, 1)
    assert other.scales == network.scales
    assert torch.equal(other(x), network(x))


class Parabola(nn.Module):
    """A network without a linear layer."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.a = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.a * x * x


@pytest.mark.parametrize(
    ("message", "stages"),
    [
        ("at least one stage", []),
        ("stage 2 has no linear layer", [SMALL, Parabola]),
        ("stage 3 has no linear layer", [SMALL, SMALL, Factorised]),
        ("stage 2 does not begin at zero", [SMALL, lambda i, o: Taylor(i, o, [1.0])]),
    ],
)
def test_stages_that_cannot_begin_are_refused(message, stages):
    with pytest.raises(UserError, match=message):
        Staged(1, 1, stages)


def test_a_network_without_a_hidden_layer_of_its_own_is_not_reused():
    with pytest.raises(UserError, match=r"cannot reuse Even, .* put transforms around Staged"):
        Staged(1, 1, [Even, RandomFeatures], reuse=True)


def test_corrections_are_dropped_where_a_stage_before_them_is_trained_again():
    network = begun(1, 1)
    x = torch.rand(5, 1)
    first, second, _ = network.stages
    expected = first(x) + 0.5 * second(x)
    network.drop(2)
    assert network.scales == [1.0, 0.5, 0.0]
    assert torch.equal(network(x), expected)
    network.scales[2] = 1.0
    assert torch.equal(network(x), expected), "the third stage does not begin at zero again"
