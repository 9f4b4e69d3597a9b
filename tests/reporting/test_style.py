"""The style of figures: legends hide nothing, and axes of errors end at rounding."""

import numpy as np
import pytest

from pinnlab.reporting.figures.panels import Record, history, points, residual
from pinnlab.reporting.figures.style import ROUNDING, floored, legend, panels, positive, styled


def test_errors_below_rounding_are_raised_to_it():
    assert floored(np.array([0.0, 1e-30, 1e-3])).tolist() == [ROUNDING, ROUNDING, 1e-3]
    assert floored(np.zeros(1), 1e6).tolist() == [1e6 * ROUNDING]
    # a scale that is none leaves a positive number all the same
    assert all((floored(np.zeros(2), scale) > 0).all() for scale in (0.0, np.nan, np.inf))
    assert np.isnan(positive(np.array([0.0, -1.0, np.inf, np.nan]))).all() and positive(np.array([2.0]))[0] == 2.0


def errors(scale):
    """A record of a solution that is exact at every other point."""
    x = np.linspace(0, 1, 50)
    exact = scale * np.cos(x)[None]
    found = exact + np.where(np.arange(50) % 2, 1e-9 * scale, 0.0)
    summary = {"metrics": {"uncertainty_u": 3e-9 * scale}}
    arrays = {"x": x, "u": found, "exact/u": exact, "residual": np.zeros((1, 50))}
    return Record({}, summary, arrays, {}, {})


@pytest.mark.parametrize("scale", [1.0, 1e8])
def test_axes_of_errors_end_at_rounding(scale):
    with styled():
        _, axes = panels(2)
        for axis, panel in zip(axes, residual(errors(scale)), strict=True):
            panel(axis)
    drawn = [line.get_ydata() for axis in axes for line in axis.lines if len(line.get_ydata()) > 2]
    assert len(drawn) == 2 and all(values.min() == pytest.approx(ROUNDING * scale) for values in drawn)
    # the estimated error is there to compare with
    (estimate,) = [line for line in axes[0].lines if line.get_label() == "± of u"]
    assert estimate.get_ydata()[0] == 3e-9 * scale


def overlaps(figure, axis):
    figure.draw_without_rendering()
    below = axis.get_legend().get_window_extent()
    hidden = (axis.get_window_extent(), axis.xaxis.label.get_window_extent())
    return [below.overlaps(box) for box in hidden]


@pytest.mark.parametrize("size", [(3.2, 2.6), (5.0, 6.0)])
def test_legends_lie_below_axes_and_labels(size):
    steps = np.arange(20.0)
    rows = {"step": steps, "loss": 1 / (1 + steps), **{f"loss/{name}": 1 / (2 + steps) for name in "abcd"}}
    record = Record(rows, {}, {"x": steps}, {"law/x": steps, "ends/x": steps[:2]}, {})
    with styled():
        figure, axes = panels(2, size=size)
        history(record)[0](axes[0])
        points(record)[0](axes[1])
        assert not any(covered for axis in axes for covered in overlaps(figure, axis))


def test_axes_without_names_have_no_legend():
    with styled():
        _, (axis,) = panels(1)
        axis.plot([0, 1], [0, 1])
        legend(axis)
    assert axis.get_legend() is None
