"""When a phase ends, and that a stored position is the position."""

import itertools
import json
import math

import pytest

from pinnlab.errors import UserError
from pinnlab.training import LBFGS, Adam, Plateau
from pinnlab.training.schedule import Schedule


def run(schedule, losses):
    """Advance through losses until all phases have ended; returns how many were used."""
    for count, loss in enumerate(losses, start=1):
        reason = schedule.advance(loss, 1.0)
        if reason:
            schedule.end_phase(loss, reason)
        if schedule.done:
            return count
    return None


def test_all_steps():
    schedule = Schedule([Adam(3), Adam(0), LBFGS(2, plateau=None)])
    assert run(schedule, iter(lambda: 1.0, None)) == 5
    ended = [(record.number, record.name, record.steps) for record in schedule.ended]
    assert ended == [(1, "Adam", 3), (2, "Adam", 0), (3, "LBFGS", 2)]
    assert schedule.seconds == 5


def test_below():
    schedule = Schedule([Adam(100, tolerance=1e-3)])
    assert run(schedule, (10.0**-k for k in range(10))) == 5
    assert "below 0.001" in schedule.ended[0].reason


@pytest.mark.parametrize("ratio", [0.99, 0.999, 1.0])
def test_stall_is_a_decrease_over_the_window(ratio):
    """A loss that falls by a constant ratio stalls if and only if it falls by less than asked over the window."""
    plateau = Plateau(steps=10, decrease=0.05)
    schedule = Schedule([Adam(1000, plateau=plateau)])
    used = run(schedule, (ratio**k for k in range(1000)))
    settles = ratio**plateau.steps > 1 - plateau.decrease
    assert (used == 1 + plateau.steps) if settles else used == 1000
    assert ("settled" in schedule.ended[0].reason) == settles


def test_stall_counts_afresh_in_each_phase():
    schedule = Schedule([Adam(1000, plateau=Plateau(5)), Adam(1000, plateau=Plateau(7))])
    assert run(schedule, iter(lambda: 1.0, None)) == 6 + 8


def test_stored_position_is_the_position():
    phases = [Adam(7), LBFGS(30, plateau=Plateau(4))]
    losses = [1 / (1 + k) for k in range(12)] + [0.05] * 50
    whole = Schedule(phases)
    total = run(whole, losses)
    for stop in range(1, total):
        before, after = Schedule(phases), Schedule(phases)
        run(before, losses[:stop])
        after.load_state_dict(json.loads(json.dumps(before.state_dict())))
        assert after.where == before.where
        assert run(after, losses[stop:]) == total - stop
        assert after.ended == whole.ended


def test_a_finished_run_goes_on_only_with_more_steps():
    finished = Schedule([Adam(3)])
    run(finished, [1.0, 1.0, 1.0])
    with pytest.raises(UserError, match="more steps"):
        Schedule([Adam(3)]).load_state_dict(finished.state_dict())
    longer = Schedule([Adam(5)])
    longer.load_state_dict(finished.state_dict())
    assert (longer.step_in_phase, longer.done) == (3, False)
    assert run(longer, [1.0, 1.0, 1.0]) == 2


def test_another_list_of_phases_is_refused():
    schedule = Schedule([Adam(3)])
    with pytest.raises(UserError, match="Adam, LBFGS"):
        schedule.load_state_dict(Schedule([Adam(3), LBFGS(3)]).state_dict())


def test_other_stages_are_refused():
    stored = Schedule([Adam(3), Adam(3, stage=2)]).state_dict()
    with pytest.raises(UserError, match="stages 1, 2, but in the configuration they train 1, 1"):
        Schedule([Adam(3), Adam(3)]).load_state_dict(stored)
    del stored["stages"]  # written before there were stages
    Schedule([Adam(3), Adam(3)]).load_state_dict(stored)


def test_learning_rates():
    steps = range(101)
    constant, cosine, exponential = (
        [Adam(100, lr=2.0, schedule=name, final=0.01).learning_rate(step) for step in steps]
        for name in ("constant", "cosine", "exponential")
    )
    assert set(constant) == {2.0}
    for falling in (cosine, exponential):
        assert falling[0] == 2.0 and falling[-1] == pytest.approx(0.02)
        assert all(a > b for a, b in itertools.pairwise(falling))
    assert cosine[50] == pytest.approx(1.01)
    assert math.log(exponential[10] / exponential[20]) == pytest.approx(math.log(exponential[70] / exponential[80]))


@pytest.mark.parametrize(
    "build",
    [
        lambda: Adam(-1),
        lambda: Adam(1, stage=0),
        lambda: Adam(1, lr=0),
        lambda: Adam(1, final=2),
        lambda: LBFGS(1, inner=0),
        lambda: LBFGS(1, scale=0),
        lambda: Plateau(0),
        lambda: Plateau(1, decrease=1.5),
        lambda: Schedule([]),
    ],
)
def test_bad_settings_are_refused(build):
    with pytest.raises(UserError):
        build()
