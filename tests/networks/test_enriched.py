"""Known functions added to a network, and the functions of corners."""

import math
from functools import partial
from typing import ClassVar

import mpmath
import pytest
import torch

from pinnlab.engines import NTP, Autograd
from pinnlab.errors import UserError
from pinnlab.jets import IndexSet, Jet
from pinnlab.jets.operators import laplacian
from pinnlab.networks import MLP, Columns, Corner, Enriched
from pinnlab.precision import doubled
from tests.conformance import Conformance, Vectorised
from tests.truth import agree, nested

SMALL = partial(MLP, width=4, depth=1)
PLANE = Columns("xy")


def sine(x0):
    return torch.sin(2 * x0)


def growth(x0, beyond=0):
    return torch.exp(x0 / 2) * x0


def wave(inputs, outputs):
    return Enriched(Columns(f"x{i}" for i in range(inputs)), outputs, [sine, growth], network=SMALL)


class TestByJets(Conformance, Vectorised):
    engine = NTP()
    subjects: ClassVar = {"enriched": wave}


class TestByAutograd(Conformance):
    engine = Autograd()
    subjects: ClassVar = {"enriched": wave}


def test_the_factors_begin_at_zero_and_multiply_the_functions():
    torch.manual_seed(1)
    plain = SMALL(2, 2)
    torch.manual_seed(1)
    network = Enriched(PLANE, 2, [lambda x, y: x * y, lambda y: y], network=SMALL)
    p = torch.rand(5, 2)
    assert torch.equal(network(p), plain(p))
    network.factors.weight.data = torch.tensor([[2.0, 0.0], [1.0, -1.0]])
    x, y = p.unbind(1)
    torch.testing.assert_close(network(p), plain(p) + torch.stack([2 * x * y, x * y - y], -1))


def test_a_vector_input_comes_whole():
    network = Enriched(Columns(["t", "x.0", "x.1"]), 1, [lambda x, t: (x * x).sum(-1) * t], network=SMALL)
    network.factors.weight.data.fill_(3.0)
    p = torch.rand(5, 3)
    torch.testing.assert_close(network(p), network.network(p) + 3 * (p[:, 1:] ** 2).sum(-1, keepdim=True) * p[:, :1])


CORNERS = {
    "L": ({"sides": (0, 270)}, lambda r, a: r ** (mpmath.mpf(2) / 3) * mpmath.sin(2 * a / 3)),
    "slit": ({"sides": (-180, 180)}, lambda r, a: mpmath.sqrt(r) * mpmath.sin((a + mpmath.pi) / 2)),
    "free": ({"sides": (0, 270), "free": True}, lambda r, a: r ** (mpmath.mpf(2) / 3) * mpmath.cos(2 * a / 3)),
    "second": ({"sides": (0, 180), "order": 2}, lambda r, a: r**2 * mpmath.sin(2 * a)),
    "log": (
        {"sides": (0, 90), "logarithm": True},
        lambda r, a: r**2 * (mpmath.log(r) * mpmath.sin(2 * a) + a * mpmath.cos(2 * a)),
    ),
}


@pytest.mark.parametrize("name", CORNERS)
def test_corner_functions_have_their_values_and_are_harmonic(name):
    options, formula = CORNERS[name]
    corner = Corner(**options)
    first, last = (math.radians(side) for side in options["sides"])
    angle = first + (last - first) * torch.tensor([0.05, 0.3, 0.5, 0.8, 0.97])
    radius = torch.tensor([0.02, 0.4, 1.0, 0.3, 2.0])
    x, y = radius * angle.cos(), radius * angle.sin()
    with mpmath.workdps(30):
        truth = torch.tensor(
            [float(formula(mpmath.mpf(r), mpmath.mpf(a))) for r, a in zip(radius.tolist(), angle.tolist(), strict=True)]
        )
    agree(corner(x=x, y=y), truth, 1e-13)
    seed = Jet.seed(torch.stack([x, y], -1), IndexSet.simplex(2, 4))
    columns = {name: Jet(seed.coefficients[..., i], seed.indices, i) for i, name in enumerate("xy")}
    u = corner(**columns)
    second = u.d(columns["x"], columns["x"]).value.abs() + u.d(columns["x"], columns["y"]).value.abs()
    assert float((laplacian(u, columns["x"], columns["y"]).value.abs() / second).max()) < 1e-11, second
    slow = nested(lambda p: corner(x=p[:, 0], y=p[:, 1]), torch.stack([x, y], -1), seed.indices)
    largest = {
        order: max(t.abs().max() for a, t in zip(seed.indices, slow, strict=True) if sum(a) <= order)
        for order in range(5)
    }
    for alpha, true in zip(seed.indices, slow, strict=True):
        unit = largest[sum(alpha)]
        torch.testing.assert_close(u.derivative(alpha) / unit, true / unit, rtol=0, atol=1e-10, msg=str(alpha))
    side = torch.tensor([first, last])
    on = corner(x=side.cos(), y=side.sin()).abs()
    if name in ("L", "slit", "second"):
        assert float(on.max()) < 1e-14
    exact = corner(x=doubled(x), y=doubled(y))
    agree(exact.high, truth, 1e-13)


def test_a_corner_elsewhere_has_its_own_coordinates():
    corner = Corner(at=(1.0, 2.0), sides=(90, 360), names=("y", "z"))
    centred = Corner(sides=(0, 270))
    a, b = torch.rand(2, 4)
    # a turn by 90 degrees takes (a, b) to (−b, a)
    agree(corner(y=1 - b, z=2 + a), centred(x=a, y=b), 1e-12)
    network = Enriched(Columns("yz"), 1, [corner], network=SMALL)
    assert network(torch.rand(3, 2)).shape == (3, 1)


@pytest.mark.parametrize(
    ("message", "build"),
    [
        ("at least one function", lambda: Enriched(PLANE, 1, [])),
        ("asks for 'z', which is no input of the equation \\(x, y\\)", lambda: Enriched(PLANE, 1, [lambda z: z])),
        ("Enriched needs the names", lambda: Enriched(2, 1, [lambda x: x])),
        ("functions with named arguments", lambda: Enriched(PLANE, 1, [3.0])),
        ("one factor for each of its 2", lambda: Enriched(PLANE, 1, [lambda x: x, lambda y: y], ["a"])),
        ("and one output, got 1 and 2", lambda: Enriched(PLANE, 2, [lambda x: x], ["a"])),
        ("0 < second − first <= 360", lambda: Corner(sides=(90, 0))),
        ("positive order", lambda: Corner(order=0)),
    ],
)
def test_what_cannot_be_is_said(message, build):
    with pytest.raises(UserError, match=message):
        build()


def test_a_function_of_another_shape_is_refused():
    with pytest.raises(UserError, match=r"returned the shape \(\), not a number for each point"):
        Enriched(PLANE, 1, [lambda x: x.sum()])(torch.rand(3, 2))
