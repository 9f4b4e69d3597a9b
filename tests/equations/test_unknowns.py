"""Unknowns stay in their interval and never get stuck there."""

import copy
import math
import pickle

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from pinnlab.equations import Unknown
from pinnlab.errors import UserError

BOUNDS = (1 / 3, 1.0)
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def at(p, bounds=BOUNDS):
    unknown = Unknown(bounds=bounds)
    with torch.no_grad():
        unknown.parameter.fill_(p)
    return unknown


@given(NUMBERS)
def test_every_number_is_mapped_into_the_interval(p):
    value = float(at(p).value.detach())
    assert BOUNDS[0] - 1e-9 <= value <= BOUNDS[1] + 1e-9


@given(st.floats(*BOUNDS))
def test_the_map_is_the_identity_inside(p):
    assert float(at(p).value.detach()) == p


@given(NUMBERS)
@example(BOUNDS[0])
@example(BOUNDS[1])
def test_the_slope_is_never_zero(p):
    unknown = at(p)
    (slope,) = torch.autograd.grad(unknown.value, unknown.parameter)
    assert abs(float(slope)) == 1.0


@pytest.mark.parametrize("turn", range(-4, 5))
def test_the_slope_is_not_zero_where_the_wave_turns(turn):
    unknown = at(float(turn), (0.0, 1.0))  # whole numbers are its bounds and turns, exactly
    (slope,) = torch.autograd.grad(unknown.value, unknown.parameter)
    assert abs(float(slope)) == 1.0
    assert float(unknown.value.detach()) == turn % 2


@given(st.floats(-20, 20), st.floats(0, 1e-3))
def test_the_map_is_continuous_and_no_steeper_than_one(p, step):
    values = [float(at(q).value.detach()) for q in (p, p + step)]
    assert abs(values[1] - values[0]) <= step + 1e-12


@given(st.floats(-20, 20))
def test_the_map_is_a_wave_of_twice_the_width(p):
    width = BOUNDS[1] - BOUNDS[0]
    value = float(at(p).value.detach())
    assert value == pytest.approx(float(at(p + 2 * width).value.detach()), abs=1e-12)
    assert value == pytest.approx(float(at(2 * BOUNDS[1] - p).value.detach()), abs=1e-12)  # mirrored at the bound


def test_descent_across_a_bound_comes_back():
    unknown = Unknown(0.9, (0.0, 1.0))
    optimiser = torch.optim.SGD(unknown.parameters(), lr=1.0)
    with torch.no_grad():
        unknown.parameter.fill_(1.3)  # one bad step over the bound
    for _ in range(50):
        optimiser.zero_grad()
        (0.1 * (unknown.value - 0.5) ** 2).backward()
        optimiser.step()
    assert float(unknown.value.detach()) == pytest.approx(0.5, abs=1e-4)


def test_starts_and_bounds():
    assert float(Unknown(bounds=(1.0, 3.0)).value.detach()) == 2.0
    assert float(Unknown(1.5, (1.0, 3.0)).value.detach()) == 1.5
    assert float(Unknown(-7.0).value.detach()) == -7.0
    assert Unknown(1.0, truth=2.0).truth == 2.0
    assert Unknown(1.0).parameter.dtype == torch.float64
    assert "bounds=(1.0, 3.0)" in repr(Unknown(bounds=(1.0, 3.0)))


def test_an_unknown_is_a_parameter_that_copies_and_maps():
    unknown = at(1.7)
    for twin in (copy.deepcopy(unknown), pickle.loads(pickle.dumps(unknown))):
        assert torch.equal(twin.value, unknown.value)
    many = torch.linspace(-2, 2, 9)

    class Reader(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unknown = unknown

        def forward(self):
            return self.unknown.value

    reader = Reader()
    values = torch.func.vmap(lambda p: torch.func.functional_call(reader, {"unknown.parameter": p}, ()))(many)
    assert values.tolist() == [float(at(p).value.detach()) for p in many]


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("increasing order", {"bounds": (1.0, 0.5)}),
        ("increasing order", {"bounds": (1.0, 1.0)}),
        ("finite", {"bounds": (0.0, math.inf)}),
        ("finite", {"bounds": (math.nan, 1.0)}),
        ("outside the bounds", {"start": 2.0, "bounds": (0.0, 1.0)}),
        ("outside the bounds", {"start": math.nan, "bounds": (0.0, 1.0)}),
        ("needs a finite start", {}),
        ("needs a finite start", {"start": math.inf}),
    ],
)
def test_bad_bounds_are_refused(message, arguments):
    with pytest.raises(UserError, match=message):
        Unknown(**arguments)
