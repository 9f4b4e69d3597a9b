"""Stretched coordinates: monotone maps of [−1, 1] whose slope is large in layers, and networks of them."""

import math
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pinnlab.engines import NTP, Autograd
from pinnlab.errors import UserError
from pinnlab.networks import MLP, Stretched, Stretching
from pinnlab.networks.composed.stretched import BACKGROUND, density
from tests.conformance import Conformance, Vectorised

SMALL = partial(MLP, width=4, depth=1)
LAYERS = {"none": [], "one": [(0.3, 0.01)], "wide": [(-0.2, 0.7)], "two": [(-1.0, 0.02), (0.4, 0.2)]}


def stretched(inputs, outputs):
    """Layers along the first input, and along a periodic second one."""
    layers = [[(0.2, 0.1)], [(-0.9, 0.2), (0.5, 0.5)], []]
    return Stretched(inputs, outputs, layers[:inputs], [False, True, False][:inputs], SMALL)


class TestByJets(Conformance, Vectorised):
    engine = NTP()
    subjects: ClassVar = {"stretched": stretched}


class TestByAutograd(Conformance):
    engine = Autograd()
    subjects: ClassVar = {"stretched": stretched}


@pytest.fixture(autouse=True)
def _float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_a_grading_is_a_monotone_map_onto_the_same_interval(layers, periodic):
    stretching, x = Stretching(layers, periodic), torch.linspace(-1, 1, 2001)
    s = stretching(x)
    assert s[0].item() == pytest.approx(-1, abs=1e-15) and s[-1].item() == pytest.approx(1, abs=1e-15)
    assert bool((s.diff() > 0).all())
    torch.testing.assert_close(stretching.inverse(s), x, rtol=0, atol=1e-14)
    assert torch.equal(stretching.inverse(torch.tensor([-1.0, 1.0])), torch.tensor([-1.0, 1.0]))


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(1e-3, 1)), min_size=1, max_size=4),
    st.floats(-1, 1),
    st.booleans(),
)
def test_its_inverse_undoes_it(layers, s, periodic):
    stretching = Stretching(layers, periodic)
    assert stretching(stretching.inverse(torch.tensor([s]))).item() == pytest.approx(s, abs=1e-11)


@pytest.mark.parametrize("layers", [LAYERS["one"], LAYERS["two"], [(0.0, 1e-3)]])
def test_the_slope_is_the_density(layers):
    """Lorentzians up to the width of the interval leave out what hardly varies there."""
    x = torch.linspace(-0.999, 0.999, 4001, requires_grad=True)
    stretching = Stretching(layers)
    (slope,) = torch.autograd.grad(stretching(x).sum(), x)
    wanted = density(x.detach(), layers)
    ratio = slope * stretching.waves / 2 / wanted
    assert ratio.min() > 0.6 and ratio.max() < 1.2
    # within a layer, where the density is 1/ε
    near = wanted > 10
    assert ratio[near].min() > 0.85


def test_the_slope_of_a_periodic_grading_has_the_period():
    stretching = Stretching(LAYERS["two"], periodic=True)
    x = torch.tensor([-1.0, 1.0, -0.7, 1.3], requires_grad=True)
    s = stretching(x)
    (slope,) = torch.autograd.grad(s.sum(), x)
    torch.testing.assert_close(slope[0::2], slope[1::2], rtol=1e-12, atol=0)
    torch.testing.assert_close(s[1::2] - s[0::2], torch.tensor([2.0, 2.0]))


def test_a_layer_takes_a_part_of_the_coordinate_that_depends_on_its_width_by_the_logarithm():
    lengths = [Stretching([(0.0, width)]).waves for width in (1e-2, 1e-4, 1e-6)]
    np.testing.assert_allclose(np.diff(lengths), 2 * math.log(100), rtol=0.1)
    assert Stretching([]).waves == 2 * BACKGROUND


def test_a_front_is_smooth_in_stretched_coordinates():
    """tanh(x/ε) by its first Chebyshev polynomials in s: spectral convergence, where x itself resolves nothing."""
    width, stretching = 1e-3, Stretching([(0.0, 1e-3)])
    nodes = np.cos(math.pi * np.arange(101) / 100)
    fine = np.linspace(-1, 1, 5001)

    def error(to_x):
        found = np.polynomial.chebyshev.Chebyshev.fit(nodes, np.tanh(to_x(nodes) / width), 100)
        return np.abs(found(fine) - np.tanh(to_x(fine) / width)).max()

    assert error(lambda s: stretching.inverse(torch.tensor(s)).numpy()) < 1e-6 < 0.1 < error(lambda x: x)


@pytest.mark.parametrize(
    ("message", "build"),
    [
        ("a centre in .-1, 1. and a positive width, got .*2.0, 0.1", lambda: Stretching([(2.0, 0.1)])),
        ("a centre in .-1, 1. and a positive width, got .*0.0, 0.0", lambda: Stretching([(0.0, 0.0)])),
        ("for each of 2 inputs", lambda: Stretched(2, 1, [[]])),
        ("for each of 2 inputs", lambda: Stretched(2, 1, [[], []], [True])),
    ],
)
def test_what_is_no_layer_is_refused(message, build):
    with pytest.raises(UserError, match=message):
        build()
