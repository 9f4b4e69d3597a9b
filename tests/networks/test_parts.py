"""One network for each output or group, and networks of some of the inputs alone."""

import copy
import pickle
from functools import partial
from typing import ClassVar

import pytest
import torch

from pinnlab.engines import NTP, Autograd
from pinnlab.errors import UserError
from pinnlab.jets import IndexSet
from pinnlab.networks import MLP, Columns, DependsOn, Odd, Parts, PerOutput, RandomFeatures, Staged
from tests.conformance import Conformance, Vectorised

SMALL = partial(MLP, width=4, depth=1)
INPUTS = Columns(["t", "x.0", "x.1", "y"])


def per_output(inputs, outputs):
    return PerOutput(inputs, outputs, SMALL)


def named(inputs, outputs):
    """One output of all inputs but the first, where there are more."""
    columns = Columns(f"x{i}" for i in range(inputs))
    only = list(columns.names[1:] or columns.names)[::-1]
    part = partial(DependsOn, only=only, network=SMALL)
    return Parts(columns, Columns(f"u{i}" for i in range(outputs)), {"u0": part})


class TestByJets(Conformance, Vectorised):
    engine = NTP()
    subjects: ClassVar = {"per output": per_output, "parts": named}


class TestByAutograd(Conformance):
    engine = Autograd()
    subjects: ClassVar = {"per output": per_output, "parts": named}


def test_columns_are_numbers_with_names():
    assert INPUTS == 4 and torch.zeros(INPUTS).shape == (4,)
    assert INPUTS.variables == ("t", "x", "y")
    assert [INPUTS.positions(name) for name in ("t", "x", "x.1", "z")] == [[0], [1, 2], [2], []]
    for twin in (copy.deepcopy(INPUTS), pickle.loads(pickle.dumps(INPUTS))):
        assert twin == 4 and twin.names == INPUTS.names


def test_parts_are_put_in_the_order_of_the_outputs():
    outputs = Columns(["u", "v", "p"])
    network = Parts(INPUTS, outputs, {"p": SMALL, "v, u": partial(MLP, width=5)})
    x = torch.rand(6, 4)
    pressure, both = network.parts[0](x), network.parts[1](x)
    torch.testing.assert_close(network(x), torch.cat([both[:, 1:], both[:, :1], pressure], -1), rtol=0, atol=0)
    assert network.parts[1][0].out_features == 5


def test_a_network_for_each_output_is_as_many_networks():
    network = PerOutput(2, 3, SMALL)
    x = torch.rand(6, 2)
    torch.testing.assert_close(network(x), torch.cat([part(x) for part in network.parts], -1), rtol=0, atol=0)
    assert len(network.parts) == 3 and not torch.equal(network(x)[:, 0], network(x)[:, 1])


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["NTP", "Autograd"])
def test_what_a_field_does_not_depend_on_has_no_derivative_at_all(engine):
    network = Parts(Columns("tx"), Columns("uk"), {"u": SMALL, "k": partial(DependsOn, only=["x"], network=SMALL)})
    points = {"t": torch.rand(5), "x": torch.rand(5)}
    indices = IndexSet.simplex(2, 3)
    fields = engine.fields(network, points, ("u", "k"), indices)
    for alpha in indices:
        values = fields["k"].derivative(alpha)
        if alpha[0]:
            assert torch.equal(values, torch.zeros(5)), alpha
        else:
            assert values.abs().min() > 0, alpha
        assert fields["u"].derivative(alpha).abs().min() > 0


def test_inputs_are_chosen_by_name_and_vectors_as_a_whole():
    seen = []

    def build(inputs, outputs):
        seen.append((inputs.names, outputs))
        return SMALL(inputs, outputs)

    x = torch.rand(3, 4)
    network = DependsOn(INPUTS, 1, ["y", "x"], build)
    assert seen == [(("y", "x.0", "x.1"), 1)]
    torch.testing.assert_close(network(x), network.network(x[:, [3, 1, 2]]), rtol=0, atol=0)
    one = DependsOn(INPUTS, 1, ["x.1"], build)
    torch.testing.assert_close(one(x), one.network(x[:, 2:3]), rtol=0, atol=0)


def test_names_go_through_transforms_and_stages():
    network = Odd(Columns("tx"), Columns("u"), partial(DependsOn, only=["x"], network=SMALL))
    x = torch.rand(3, 2)
    assert torch.equal(network(x), network(x * torch.tensor([-1.0, 1.0])))
    stages = [partial(DependsOn, only=["x"], network=SMALL), partial(RandomFeatures, features=5)]
    assert Staged(Columns("tx"), Columns("u"), stages)(x).shape == (3, 1)


@pytest.mark.parametrize(
    ("message", "build"),
    [
        ("no output 'w'; the outputs are u, v", lambda: Parts(2, Columns("uv"), {"u": MLP, "w": MLP})),
        ("'u' is in more than one part", lambda: Parts(2, Columns("uv"), {"u, v": MLP, "u": MLP})),
        ("no part has the output 'v'", lambda: Parts(2, Columns("uv"), {"u": MLP})),
        ("Parts needs the names of inputs and outputs, and got the number 2", lambda: Parts(2, 2, {"u": MLP})),
        ("DependsOn needs the names", lambda: DependsOn(2, 1, ["x"])),
        ("no input 'z'; the inputs are t, x, y", lambda: DependsOn(INPUTS, 1, ["z"])),
        ("each once", lambda: DependsOn(INPUTS, 1, ["x", "x.0"])),
        ("at least one input", lambda: DependsOn(INPUTS, 1, [])),
    ],
)
def test_wrong_names_are_said(message, build):
    with pytest.raises(UserError, match=message):
        build()


def test_a_part_of_too_many_outputs_is_refused():
    network = Parts(Columns("x"), Columns("uv"), {"u": lambda i, o: MLP(i, 2), "v": MLP})
    with pytest.raises(UserError, match=r"of 1 output\(s\) returned 2"):
        network(torch.rand(3, 1))
