"""Unknowns with bounds: the parameter is the value, and stays within them."""

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
@example(BOUNDS[0])
@example(BOUNDS[1])
def test_projection_is_the_nearest_value_within_the_bounds(p):
    unknown = at(p)
    unknown.project()
    assert float(unknown.value.detach()) == min(max(p, BOUNDS[0]), BOUNDS[1])


@given(st.floats(*BOUNDS))
def test_the_parameter_is_the_value(p):
    unknown = at(p)
    (slope,) = torch.autograd.grad(unknown.value, unknown.parameter)
    assert float(unknown.value.detach()) == p and float(slope) == 1.0


@pytest.mark.parametrize("bounds", [(0.1, 0.7), (1 / 3, 2 / 3), (-0.7, -0.1), (0.0, 1e-3)])
def test_rounded_to_single_precision_the_ends_are_within_the_bounds(bounds):
    low, high = Unknown(bounds=bounds).float().limits
    assert bounds[0] <= low < high <= bounds[1]
    for p in bounds:
        unknown = at(p, bounds).float()
        unknown.project()
        assert bounds[0] <= float(unknown.value.detach()) <= bounds[1]


def reflected(p, low, high):
    """The value that earlier versions gave the parameter p."""
    while not low <= p <= high:
        p = 2 * high - p if p > high else 2 * low - p
    return p


@pytest.mark.parametrize("bounds", [BOUNDS, (-2.0, -1.5)])
@pytest.mark.parametrize("p", [-7.3, -0.2, 0.5, 1.0, 1.2, 1.9, 3.7])
def test_a_parameter_stored_outside_of_the_bounds_is_taken_as_its_reflection(bounds, p):
    unknown = Unknown(bounds=bounds)
    stored = {"parameter": torch.tensor(p)}
    unknown.load_state_dict(stored)
    assert float(unknown.value.detach()) == pytest.approx(reflected(p, *bounds), abs=1e-12)
    assert float(stored["parameter"]) == p  # the checkpoint is not touched


def test_starts_and_bounds():
    assert float(Unknown(bounds=(1.0, 3.0)).value.detach()) == 2.0
    assert float(Unknown(1.5, (1.0, 3.0)).value.detach()) == 1.5
    assert float(Unknown(-7.0).value.detach()) == -7.0
    assert Unknown(1.0, truth=2.0).truth == 2.0
    assert Unknown(1.0).parameter.dtype == torch.float64
    assert Unknown(1.0).limits == (-math.inf, math.inf)
    assert "bounds=(1.0, 3.0)" in repr(Unknown(bounds=(1.0, 3.0)))


def test_an_unknown_is_a_parameter_that_copies_and_maps():
    unknown = at(0.7)
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
    assert torch.equal(values, many)


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
