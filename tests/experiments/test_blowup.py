"""Intervals for unknowns of blow-up profiles, and the script that finds them."""

import pytest

from experiments.blowup.intervals import Interval, interval
from experiments.blowup.local import COLUMNS, PROVED, TABLE, Rung, burgers, measured, rungs
from experiments.tolerance.rows import Table, number


def test_an_interval_holds_all_solves_around_the_surest_one():
    found = interval([1.0, 1.5, 0.9], [0.3, 0.2, 0.4])
    assert found == Interval(1.5, pytest.approx(0.6))
    # an estimate that is larger than the spread is kept, and so are rounding errors
    assert interval([1.0, 1.0], [0.1, 0.2]).half == 0.1
    assert 0 < interval([1.0, 1.0], [0.0, 0.0]).half < 1e-15


def test_one_solve_or_a_nonsense_makes_no_interval():
    for values, estimates in (([1.0], [0.1]), ([1.0, 1.0], [0.1]), ([1.0, float("nan")], [0.1, 0.1])):
        with pytest.raises(ValueError):
            interval(values, estimates)


def test_a_profile_of_burgers_is_found_to_ten_digits_from_its_interval():
    row = measured("burgers_2", Rung(burgers(2), {"gamma": (0.25, 0.25)}))
    assert set(row) == set(COLUMNS) and row["meets"] is True and float(row["half"]) < 1e-10
    assert abs(float(row["value"]) - 0.25) < 1e-10


def test_what_was_measured_is_right_within_its_intervals_and_proofs():
    rows = Table(TABLE, COLUMNS, ("profile",)).rows()
    assert {row["profile"] for row in rows} <= set(rungs()) and rows
    for row in rows:
        for end in ("", "_2"):
            if row[f"unknown{end}"]:
                value, half, truth = (number(row, f"{name}{end}") for name in ("value", "half", "truth"))
                assert abs(value - truth) <= 3 * half, row["profile"]
                low, high = PROVED.get(row["profile"], {}).get(row[f"unknown{end}"], (value, value))
                assert low <= value <= high
