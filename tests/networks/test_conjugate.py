"""A network of a vorticity and its velocity: U' = HΩ holds for all parameters, and jets run through it."""

from typing import ClassVar

import pytest
import torch
from torch import nn

from pinnlab.engines import NTP, Autograd
from pinnlab.errors import UserError
from pinnlab.jets import IndexSet
from pinnlab.networks import Conjugate
from pinnlab.operators import HilbertOnLine, SinhTrapezoid
from tests.conformance import Conformance


class TestByJets(Conformance):
    engine = NTP()
    dimensions: ClassVar = (1,)
    subjects: ClassVar = {
        "pair": lambda i, o: nn.Sequential(Conjugate(i, 2, terms=2, powers=1), nn.Linear(2, o)),
        "three": lambda i, o: nn.Sequential(Conjugate(i, 3, terms=2, powers=1), nn.Linear(3, o)),
    }


class TestByAutograd(Conformance):
    engine = Autograd()
    dimensions: ClassVar = (1,)
    subjects = TestByJets.subjects


@pytest.mark.parametrize("exponent", [0.7, 1.5])
def test_the_slope_of_the_velocity_is_the_hilbert_transform_of_the_vorticity(exponent):
    torch.manual_seed(0)
    network = Conjugate(1, 2, terms=5, powers=3, exponent=exponent, noise=1.0)
    rule = SinhTrapezoid(y=(-1e22, 1e22), nodes=1500)
    with torch.no_grad():
        fields = NTP().fields(network, {"z": rule.z}, ("Omega", "V"), IndexSet.simplex(1, 1))
    vorticity, speed = fields["Omega"].value, fields["V"]
    # U = V cosh z, and d/dy is 1/cosh z d/dz
    slope = speed.derivative((1,)) + speed.value * rule.z.tanh()
    near = rule.z.abs() < 10
    error = (slope - HilbertOnLine(rule) @ vorticity)[near].abs().max()
    assert error < 1e-11 * slope.abs().max()
    assert (slope - HilbertOnLine(rule) @ (2 * vorticity))[near].abs().max() > 0.1 * slope.abs().max()


def test_parity_and_the_value_at_the_origin():
    network = Conjugate(1, 3, terms=4, powers=2, exponent=0.4, centre=-1.5, noise=0.0)
    z = torch.linspace(0.0, 4.0, 9)[:, None]
    right, left = network(z), network(-z)
    torch.testing.assert_close(left, right * torch.tensor([-1.0, -1.0, 1.0]))
    y = z[:, 0].sinh()
    expected = 1.5 * (1 + y * y) ** -0.2 * torch.sin(0.4 * y.atan())
    torch.testing.assert_close(right[:, 0], expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, 2), "Conjugate has one input and two or three outputs, got 2 and 2"),
        ((1, 1), "Conjugate has one input and two or three outputs, got 1 and 1"),
        ((1, 2, 0), "Conjugate needs positive numbers, got 0 terms, 6 powers, 0.5"),
        ((1, 2, 4, 2, 1.0, 2.0), "Conjugate has no term of k = 1 with a value at 0 for the exponent 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        Conjugate(*arguments)
