"""Sobolev weightings."""

import math

import pytest

from pinnlab.errors import UserError
from pinnlab.residuals.sobolev import Geometric, Only, Sobolev, Taylor, Weights


def test_weights():
    assert Weights([1, 0.5]).weights() == (1.0, 0.5)
    assert Weights([0, 0, 2.0]).order == 2
    assert Weights([1.0, 0.0, 0.0]).weights() == (1.0,)  # nothing to compute for zeros at the end


@pytest.mark.parametrize("radius", [1.0, 0.3])
def test_taylor_weights_are_squared_coefficients(radius):
    assert Taylor(4, radius).weights() == pytest.approx([(radius**j / math.factorial(j)) ** 2 for j in range(5)])


def test_geometric_and_single_weights():
    assert Geometric(3, 0.5).weights() == (1.0, 0.5, 0.25, 0.125)
    assert Only(3, 0.2).weights() == (0.0, 0.0, 0.0, 0.2)
    assert Only(0).weights() == (1.0,)


@pytest.mark.parametrize("values", [[], [0.0], [1.0, -1.0], [math.nan], [math.inf, 1.0]])
def test_bad_weights_are_refused(values):
    with pytest.raises(UserError, match="finite, not negative and not all zero"):
        Weights(values)


@pytest.mark.parametrize("kind", [Taylor, Geometric, Only])
def test_negative_orders_are_refused(kind):
    with pytest.raises(UserError, match="cannot be negative"):
        kind(-1)


def test_a_weighting_of_ones_own_is_a_class_of_three_lines():
    class Odd(Sobolev):
        def weights(self):
            return (0.0, 1.0, 0.0, 1.0)

    assert Odd().order == 3
