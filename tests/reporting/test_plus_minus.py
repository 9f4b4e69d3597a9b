"""Values rounded to their errors."""

import math

import pytest

from pinnlab.reporting.plus_minus import plus_minus


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.70493, 0.0070, "0.705 ± 0.007"),
        (0.5, 4e-15, "0.500000000000000 ± 4e-15"),
        (0.25, 1e-16, "0.2500000000000000 ± 1e-16"),
        (1234.56, 30.0, "1230 ± 30"),
        (-2.5, 10.0, "0 ± 10"),
        (1.23456e-9, 2e-12, "1.235e-09 ± 2e-12"),
        (6.02e23, 1e21, "6.02e+23 ± 1e+21"),
        (0.0, 0.01, "0.00 ± 0.01"),
        (1.0, 0.0, "1.0 ± 0"),
        (1.41421, math.inf, "1.41 ± ?"),
        (math.nan, 0.1, "nan ± ?"),
        (0.9999, 0.0096, "1.00 ± 0.01"),
    ],
)
def test_as_papers_print_them(value, error, text):
    assert plus_minus(value, error) == text
