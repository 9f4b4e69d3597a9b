"""Networks in stages: what has not begun takes no part, and begins at zero."""

from functools import partial
from typing import ClassVar

import pytest
import torch
from torch import nn

from pinnlab.engines import NTP, Autograd
from pinnlab.errors import UserError
from pinnlab.networks import MLP, SIREN, Even, Factorised, GatedMLP, PirateNet, Product, Rescaled, Staged, Taylor
from tests.conformance import Conformance, Vectorised

SMALL = partial(MLP, width=4, depth=1)


def begun(inputs, outputs):
    """Three stages that all take part."""
    network = Staged(inputs, outputs, [SMALL, partial(SMALL, activation="sin"), SMALL])
    network.scales = [1.0, 0.5, -0.25]
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return network


class TestByJets(Conformance, Vectorised):
    engine = NTP()
    subjects: ClassVar = {"staged": begun, "even": lambda i, o: Even(i, o, begun)}


class TestByAutograd(Conformance):
    engine = Autograd()
    subjects: ClassVar = {"staged": begun}


def test_is_the_sum_of_the_stages_that_have_begun():
    network = begun(2, 3)
    x = torch.rand(5, 2)
    first, second, third = network.stages
    torch.testing.assert_close(network(x), first(x) + 0.5 * second(x) - 0.25 * third(x))
    network.scales = [1.0, 0.5, 0.0]
    third.register_forward_hook(lambda *_: pytest.fail("a stage that has not begun was evaluated"))
    torch.testing.assert_close(network(x), first(x) + 0.5 * second(x))


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
    [MLP, SIREN, GatedMLP, PirateNet, Product, Even, lambda i, o: Rescaled(i, o, [0.0, 0.0], [0.1, 0.1])],
    ids=["MLP", "SIREN", "GatedMLP", "PirateNet", "Product", "Even", "Rescaled"],
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
