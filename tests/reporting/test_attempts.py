"""What figures show of a solve to a tolerance: each attempt at its place, accepted or not, and the tolerance."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from pinnlab.reporting.figures import FIGURES, Record

ROWS = {
    "step": np.arange(3.0),
    "phase": np.array(["proposal"] * 3),
    "seconds": np.array([0.5, 1.0, 2.0]),
    "loss": np.array([1e-3, 1e-9, 1e-9]),
    "solve/error": np.array([np.inf, 1e-7, 1e-5]),
    "solve/features": np.array([40.0, 60.0, 60.0]),
    "solve/begin": np.array([0.0, 0.0, 4.0]),
    "solve/end": np.array([10.0, 4.0, 10.0]),
    "solve/accepted": np.array([0.0, 1.0, 1.0]),
}


def drawn(rows, summary=None, solution=None):
    record = Record(rows, summary or {}, solution or {}, {}, {})
    found = []
    for panel in FIGURES["history"](record):
        found.append(Figure().subplots())
        panel(found[-1])
    assert FIGURES["cost"](record) == [], "an attempt is no step, and has no cost of its own"
    return found


def test_attempts_and_the_tolerance_over_seconds():
    errors, features, *_ = drawn(ROWS, {"tolerance": {"tol": 1e-6}})
    lines = {line.get_label(): line for line in errors.lines}
    np.testing.assert_array_equal(lines["accepted"].get_xdata(), [1.0, 2.0])
    np.testing.assert_array_equal(lines["accepted"].get_ydata(), [1e-7, 1e-5])
    assert np.isnan(lines["not accepted"].get_ydata()).all() and list(lines["not accepted"].get_xdata()) == [0.5]
    assert list(errors.lines[-1].get_ydata()) == [1e-6, 1e-6] and errors.get_yscale() == "log"
    assert {tuple(line.get_ydata()) for line in features.lines} == {(40.0, 60.0, 60.0), (40.0,), (60.0, 60.0)}


def test_windows_are_lines_over_time():
    *_, errors, lengths = drawn(ROWS, solution={"t": np.zeros(3), "u": np.zeros((2, 3))})
    assert errors.get_xlabel() == lengths.get_xlabel() == "t" and not errors.lines
    for axes, heights in ((errors, [1e-7, 1e-5]), (lengths, [4.0, 6.0])):
        rejected, accepted = axes.collections
        assert [segment[:, 0].tolist() for segment in accepted.get_segments()] == [[0, 4], [4, 10]]
        assert [segment[0, 1] for segment in accepted.get_segments()] == heights
        assert len(rejected.get_segments()) == 1


@pytest.mark.parametrize("without", ["solve/begin", "solve/accepted"])
def test_records_of_before(without):
    """Records that say neither where windows began nor what was accepted have the panels that they can have."""
    found = drawn({name: column for name, column in ROWS.items() if name != without}, {"tolerance": {"tol": 1e-6}})
    assert len(found) == (2 if without == "solve/begin" else 4)
    assert [line.get_label() for line in found[0].lines if line.get_label()[0] != "_"] == (
        ["not accepted", "accepted"] if without == "solve/begin" else ["accepted"]
    )


def test_without_time_there_are_no_windows():
    rows = {**ROWS, "solve/begin": np.full(3, np.nan), "solve/end": np.full(3, np.nan)}
    assert [axes.get_title() for axes in drawn(rows)] == ["estimated error", "features"]
