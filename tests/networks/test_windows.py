"""Networks one after another in time, outputs of a given centre and size, and features with a scale for each input."""

import json
import math
import re
import subprocess
import sys
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
import torch

from pinnlab.engines import NTP, Autograd
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Box
from pinnlab.jets import IndexSet
from pinnlab.networks import MLP, Affine, Columns, RandomFeatures, Rescaled, Windows
from pinnlab.solution.export import export
from pinnlab.training import Adam
from pinnlab.training.pinn import PINN
from tests.conformance import Conformance, Vectorised

SMALL = partial(MLP, width=4, depth=1)
WAVES = partial(RandomFeatures, features=5, activation="sin")


def windows(inputs, outputs):
    """Three windows of the first input; the points of the suites, in [−1, 1], lie in all of them."""
    networks = [SMALL, partial(SMALL, activation="sin"), WAVES]
    return Windows(Columns("txy"[:inputs]), outputs, "t", ends=[-0.3, 0.4], networks=networks)


def sized(inputs, outputs):
    """Outputs around 1, of size 2."""
    return Affine(inputs, outputs, [1.0] * outputs, [2.0] * outputs, SMALL)


class TestByJets(Conformance, Vectorised):
    engine = NTP()
    subjects: ClassVar = {"windows": windows, "affine": sized}


class TestByAutograd(Conformance):
    engine = Autograd()
    subjects: ClassVar = {"windows": windows, "affine": sized}


def derivatives(engine, network, points, indices):
    """The derivatives of both outputs in t and x."""
    fields = engine.fields(network, points, ("u", "v"), indices)
    return torch.stack([fields[name].derivative(alpha).detach() for name in ("u", "v") for alpha in indices])


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["ntp", "autograd"])
@pytest.mark.parametrize("along", ["t", "x"])
def test_each_window_has_its_own_network_and_its_derivatives(engine, along):
    ends = [0.2, 0.5, 0.9]
    network = Windows(Columns("tx"), Columns(("u", "v")), along, ends, [SMALL, SMALL, WAVES, SMALL])
    points = {name: torch.rand(400) for name in "tx"}
    points[along] = torch.linspace(-1, 2, 400)
    indices = IndexSet.simplex(2, 3)
    found = derivatives(engine, network, points, indices)
    # one window after another, alone
    number = torch.bucketize(points[along], torch.tensor(ends))
    assert set(number.tolist()) == {0, 1, 2, 3}
    for k, part in enumerate(network.networks):
        there = number == k
        alone = derivatives(engine, part, {name: column[there] for name, column in points.items()}, indices)
        torch.testing.assert_close(found[:, there], alone, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["ntp", "autograd"])
def test_an_end_belongs_to_the_window_before_it(engine):
    network = Windows(Columns("tx"), Columns(("u", "v")), "t", [0.5], [SMALL, SMALL])
    points = {"t": torch.tensor([0.5, math.nextafter(0.5, 1)]), "x": torch.tensor([0.3, 0.3])}
    found = derivatives(engine, network, points, IndexSet.simplex(2, 2))
    for column, part in enumerate(network.networks):
        alone = derivatives(engine, part, points, IndexSet.simplex(2, 2))
        torch.testing.assert_close(found[:, column], alone[:, column], rtol=1e-13, atol=1e-13)
    assert not torch.allclose(found[:, 0], found[:, 1])


def test_one_network_without_ends_is_that_network():
    torch.manual_seed(1)
    alone = SMALL(2, 3)
    torch.manual_seed(1)
    network = Windows(Columns("tx"), 3, "x", [], [SMALL])
    x = torch.rand(5, 2)
    assert torch.equal(network(x), alone(x))


def test_windows_are_built_with_the_inputs_by_name():
    low, high = [0.0, 0.0], [1.0, 1.0]
    nested = partial(Windows, along="x", ends=[0.5], networks=[SMALL, partial(Rescaled, low=low, high=high)])
    network = Windows(Columns("tx"), 1, "t", [0.5], [nested, SMALL])
    x = torch.tensor([[0.2, 0.2], [0.2, 0.8], [0.8, 0.2]])
    parts = (*network.networks[0].networks, network.networks[1])
    expected = torch.stack([part(x)[row] for row, part in enumerate(parts)])
    torch.testing.assert_close(network(x), expected, rtol=0, atol=0)


def test_windows_and_fixed_features_are_state():
    network, other = windows(2, 3), windows(2, 3)
    x = 2 * torch.rand(30, 2) - 1
    assert not torch.equal(network(x), other(x))
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(x), other(x))


@pytest.mark.parametrize(
    ("message", "build"),
    [
        ("there is no input 'z'; the inputs are t, x", lambda c: Windows(c, 1, "z", [1.0], [SMALL, SMALL])),
        ("increasing ends .* got [1.0, 1.0] and 3", lambda c: Windows(c, 1, "t", [1.0, 1.0], [SMALL] * 3)),
        ("increasing ends .* got [2.0, 1.0] and 3", lambda c: Windows(c, 1, "t", [2.0, 1.0], [SMALL] * 3)),
        ("one network more than ends, got [1.0] and 1 networks", lambda c: Windows(c, 1, "t", [1.0], [SMALL])),
        ("one network more than ends, got [] and 0 networks", lambda c: Windows(c, 1, "t", [], [])),
        ("Windows", lambda c: Windows(2, 1, "t", [1.0], [SMALL, SMALL])),
        ("2 centres and sizes other than 0, got [1.0], [1.0]", lambda c: Affine(2, 2, [1.0], [1.0])),
        ("1 centres and sizes other than 0, got [1.0], [0.0]", lambda c: Affine(2, 1, [1.0], [0.0])),
        ("one scale, or one for each of 2 inputs, not 3", lambda c: RandomFeatures(2, 1, scale=[1.0] * 3)),
        ("one scale, or one for each of 2 inputs, not 1", lambda c: RandomFeatures(2, 1, scale=[1.0])),
        ("a positive number and scale, got 300 and [1.0, 0.0]", lambda c: RandomFeatures(2, 1, scale=[1.0, 0.0])),
        ("a positive number and scale, got 300 and -1", lambda c: RandomFeatures(2, 1, scale=-1)),
        ("a positive number and scale, got 0 and 1.0", lambda c: RandomFeatures(2, 1, features=0)),
    ],
)
def test_bad_networks_are_refused_in_a_line(message, build):
    pattern = ".*".join(map(re.escape, message.split(" .* ")))
    with pytest.raises(UserError, match=pattern) as raised:
        build(Columns("tx"))
    assert "\n" not in str(raised.value)


def test_affine_outputs_have_their_centres_and_sizes():
    network = Affine(2, 3, [1.0, -2.0, 300.0], [1.0, 0.5, 50.0], SMALL)
    x = torch.rand(7, 2)
    inner = network.network(x)
    expected = [c + s * inner[:, i] for i, (c, s) in enumerate([(1.0, 1.0), (-2.0, 0.5), (300.0, 50.0)])]
    torch.testing.assert_close(network(x), torch.stack(expected, -1))
    # constants of the architecture, not state: networks of other sizes can start from each other
    assert not any("centre" in name or "size" in name for name in network.state_dict())


def test_features_have_the_scale_of_each_input():
    count, scales = 40000, (0.5, 3.0, 20.0)
    network = RandomFeatures(3, 1, features=count, scale=scales)
    for column, s in zip(network.weight.T, scales, strict=True):
        # a mean of n normal numbers is within 5 / √n, and their mean square within 5 √(2/n), but for one in a million
        assert abs(float(column.mean())) < 5 * s / math.sqrt(3 * count)
        assert float(column.square().mean()) * 3 / s**2 == pytest.approx(1, abs=5 * math.sqrt(2 / count))
    assert float(network.bias.square().mean()) / 20.0**2 == pytest.approx(1, abs=5 * math.sqrt(2 / count))
    assert not [name for name, _ in network.named_parameters() if not name.startswith("last.")]


@pytest.mark.parametrize("scale", [1.0, 3, 0.25])
def test_one_scale_is_the_same_for_all_inputs_and_draws_the_numbers_that_it_drew(scale):
    torch.manual_seed(5)
    expected = scale * 2**-0.5 * torch.randn(30, 2), scale * torch.randn(30)
    for given in (scale, (scale, scale), [float(scale)] * 2):
        torch.manual_seed(5)
        network = RandomFeatures(2, 1, features=30, scale=given)
        torch.testing.assert_close(network.weight, expected[0], rtol=1e-15, atol=0)
        assert torch.equal(network.bias, expected[1])
        assert network.weight.dtype == torch.get_default_dtype()


def test_a_larger_scale_along_one_input_leaves_the_others_alone():
    torch.manual_seed(5)
    equal = RandomFeatures(2, 1, features=30, scale=2.0)
    torch.manual_seed(5)
    different = RandomFeatures(2, 1, features=30, scale=(2.0, 8.0))
    torch.testing.assert_close(different.weight, equal.weight * torch.tensor([1.0, 4.0]), rtol=1e-15, atol=0)


READER = """
import json, sys
sys.modules["pinnlab"] = None
import numpy as np, torch
arrays = dict(np.load("expected.npz"))
points = torch.from_numpy(arrays.pop("points"))
values = torch.export.load("solution.pt2").module()(points)
assert values.keys() == arrays.keys()
print(json.dumps({name: abs(values[name].numpy() - a).max() / abs(a).max() for name, a in arrays.items()}))
"""


class Wave(Equation):
    """u_tt = u_xx, with a second output."""

    inputs, outputs = ("t", "x"), ("u", "v")

    def constraints(self):
        return {"interior": Constraint(Box(t=(0, 1), x=(0, 1)), lambda t, x, u, v: u.d(t, t) - v.d(x, x))}


@pytest.mark.slow
def test_an_exported_program_has_the_windows(tmp_path):
    low, high = [0.0, 0.0], [1.0, 1.0]
    piece = partial(
        Rescaled,
        low=low,
        high=high,
        network=partial(Affine, centre=[1.0, 0.0], size=[2.0, 3.0], network=partial(WAVES, scale=(1.0, 4.0))),
    )
    network = partial(Windows, along="t", ends=[0.3, 0.6], networks=[piece, piece, piece])
    model = PINN(Wave().double(), network, NTP(), [Adam(1)])
    names = export(model, ["u_t", "v_xx"], tmp_path / "solution.pt2")
    points = torch.rand(2000, 2)
    fields = model.residuals.fields(dict(zip("tx", points.unbind(1), strict=True)), IndexSet.simplex(2, 2))
    alphas = {"u": (0, 0), "v": (0, 0), "u_t": (1, 0), "v_xx": (0, 2)}
    expected = {name: fields[name[0]].derivative(alphas[name]).detach().numpy() for name in names}
    assert set(expected) == set(alphas)
    np.savez(tmp_path / "expected.npz", points=points.numpy(), **expected)
    done = subprocess.run([sys.executable, "-c", READER], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    gaps = json.loads(done.stdout)
    assert max(gaps.values()) < 1e-12, gaps
