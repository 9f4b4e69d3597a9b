"""Step control: windows get shorter, or get more features, by what the former changes did."""

import math

import pytest

from pinnlab.strategy import Outcome
from pinnlab.strategy.recipes.step_control import Change, StepControl


def outcome(local, change=1.0):
    return Outcome(0.0, local, local, {}, 0.0, change)


def test_lengths_follow_the_error_as_an_integrator_does():
    control = StepControl(1.0, False)
    assert control.failed(outcome(1e-3), 64 * 0.5, 2.0) is Change.SHORTER
    # (0.5 / 32)^(1/6) = 1/2
    assert control.length == pytest.approx(0.5)
    control.succeeded(0.5, 2.0)
    assert control.length == pytest.approx(0.5) and control.worked == 0.5
    control.succeeded(1e-9, 2.0)
    assert control.length == 1.0


def test_a_window_that_is_much_too_long_is_cut_to_a_third_at_most():
    control = StepControl(1.0, False)
    control.failed(outcome(1.0), 1e12, 2.0)
    assert control.length == pytest.approx(0.3)


def test_a_longer_window_that_fails_is_cut_back_to_what_has_worked():
    control = StepControl(1.0, True)
    control.succeeded(1e-3, 2.0)
    assert control.length > 1.05
    assert control.failed(outcome(1e-3, change=0.01), 1e6, 2.0) is Change.SHORTER
    assert control.length == 1.0


def test_where_little_changes_features_are_what_lacks():
    assert StepControl(1.0, True).failed(outcome(1e-3, 0.1), 1e3, 2.0) is Change.MORE
    assert StepControl(1.0, True).failed(outcome(1e-3, 1.0), 1e3, 2.0) is Change.SHORTER
    # two shorter windows cost less than more features; features that cannot be had; no other inputs
    assert StepControl(1.0, True).failed(outcome(1e-3, 0.1), 100, 2.0) is Change.SHORTER
    assert StepControl(1.0, True).failed(outcome(1e-3, 0.1), 1e3, math.inf) is Change.SHORTER
    assert StepControl(1.0, False).failed(outcome(1e-3, 0.1), 1e3, 2.0) is Change.SHORTER


def test_what_did_not_help_is_not_done_again():
    control = StepControl(1.0, True)
    assert control.failed(outcome(1e-3), 100, 2.0) is Change.SHORTER
    shorter = control.length
    assert shorter < 1
    # the error is the same: features, for the length that was tried before
    assert control.failed(outcome(0.99e-3), 99, 2.0) is Change.MORE
    assert control.length == 1.0
    # they do not help either: they are taken back, and the window is shorter
    assert control.failed(outcome(0.9e-3), 90, 2.0) is Change.BACK
    assert control.length < shorter
    # compared with the error of as many features: it helps
    assert control.failed(outcome(0.99e-5, 1.0), 2, 2.0) is Change.SHORTER


def test_what_helped_goes_on():
    control = StepControl(1.0, True)
    assert control.failed(outcome(1e-3, 0.1), 1e6, 2.0) is Change.MORE
    assert control.failed(outcome(1e-4, 1.0), 1e5, 2.0) is Change.MORE
    assert control.failed(outcome(2e-6, 1.0), 2e3, 2.0) is Change.MORE
    assert control.failed(outcome(2e-8, 1.0), 20, 2.0) is Change.SHORTER
    # shorter by 0.54, and the error falls by less than 0.54^3
    assert control.length == pytest.approx((0.5 / 20) ** (1 / 6))
    assert control.failed(outcome(1e-8, 1.0), 10, 2.0) is Change.MORE


def test_a_nonsensical_window_stays_short_when_it_gets_more_features():
    control = StepControl(1.0, True)
    control.failed(outcome(2.0), 1e6, 2.0)
    assert control.failed(outcome(2.0), 1e6, 2.0) is Change.MORE
    assert control.length == pytest.approx(0.3)
    # and it never gives up: the next may be near enough to the solution
    assert all(control.failed(outcome(2.0), 1e6, 2.0) is not Change.NOTHING for _ in range(20))


@pytest.mark.parametrize("dearer", [2.0, math.inf])
def test_it_gives_up_where_nothing_helps(dearer):
    control = StepControl(1.0, True)
    changes = [control.failed(outcome(1e-3), 100, dearer) for _ in range(10)]
    assert changes[0] is Change.SHORTER and Change.NOTHING in changes
    assert (Change.MORE in changes) == (dearer < math.inf)
    # without other inputs a shorter window is all there is
    control = StepControl(1.0, False)
    assert {control.failed(outcome(1e-3), 100, dearer) for _ in range(30)} == {Change.SHORTER}


def test_a_window_after_a_failure_is_no_longer_than_it():
    control = StepControl(1.0, False)
    control.failed(outcome(1e-3), 32.0, 2.0)
    assert control.succeeded(1e-9, 2.0) is Change.KEPT
    assert control.length == control.worked
    control.succeeded(1e-9, 2.0)
    assert control.length == 2 * control.worked


def shrunk():
    """Windows that became less than half as long as the first one."""
    control = StepControl(1.0, True)
    assert control.succeeded(0.5, 2.0) is Change.KEPT
    error = 1e-3
    while control.length > 0.5:
        assert control.failed(outcome(error), 8.0, 2.0) is Change.SHORTER
        error *= 1e-2
    return control


def test_short_windows_are_tried_twice_as_long_with_more_features():
    control = shrunk()
    length = control.length
    assert control.succeeded(0.5, 2.0) is Change.MORE
    assert control.length == pytest.approx(2 * length)
    # they resolve it: this is the length that others are compared with
    assert control.succeeded(0.5, 2.0) is Change.KEPT
    assert control.length == pytest.approx(2 * length)


def test_more_features_that_allow_no_longer_window_are_taken_back():
    control = shrunk()
    length = control.length
    assert control.succeeded(0.5, 2.0) is Change.MORE
    assert control.failed(outcome(1e-3), 8.0, 2.0) is Change.BACK
    assert control.length == pytest.approx(length)
    # and not tried again until windows are half as long
    assert control.succeeded(0.5, 2.0) is Change.KEPT
    assert shrunk().succeeded(0.5, math.inf) is Change.KEPT


def test_more_features_that_help_are_followed_by_more_while_they_are_cheap():
    for dearer, then in ((2.0, Change.MORE), (3.0, Change.SHORTER)):
        control = StepControl(1.0, True)
        assert control.failed(outcome(1e-3, 0.1), 1e6, dearer) is Change.MORE
        assert control.failed(outcome(1e-4, 1.0), 1e5, dearer) is then
