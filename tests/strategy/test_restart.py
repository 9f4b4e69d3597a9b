"""What was found before a restart is kept until there is better."""

import numpy as np
import pytest
import torch

import pinnlab
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval
from pinnlab.strategy import Accept, Features, Proposal, Recipe, Restart, Stop
from pinnlab.strategy.agreement import Piece
from pinnlab.strategy.journal import Journal
from pinnlab.strategy.march import March
from pinnlab.strategy.structure.evolution import Evolution
from pinnlab.strategy.way import Way, best


class Spring(Equation):
    """u'' = −u from 1 at rest."""

    inputs, outputs = ("t",), ("u",)

    def constraints(self):
        line = Interval(t=(0, 4))
        return {
            "motion": Constraint(line, lambda t, u: u.d(t, t) + u),
            "start": Constraint(line.face("t", 0), lambda t, u: (u - 1, u.d(t))),
        }


class Twice(Recipe):
    """The whole time with few features; then again with more, one window after the other."""

    def __init__(self, first=12, second=30):
        self.first, self.second = first, second

    def decisions(self, progress):
        for count, ends in ((self.first, (2.0, 4.0)), (self.second, (1.0, 2.0, 4.0))):
            for end in ends:
                outcome = yield Proposal(Features(count, (5.0,)), end)
                yield Accept()
            if count == self.first:
                yield Restart("more features")
        return Stop(outcome.error <= progress.tol, "the recipe ended")


def after(decisions):
    """A reason to stop after so many decisions."""
    left = iter(range(decisions))
    return lambda: "" if next(left, None) is not None else "the time limit"


@pytest.mark.parametrize(
    ("decisions", "ends"), [(4, [2.0, 4.0]), (5, [2.0, 4.0]), (9, [2.0, 4.0]), (11, [1.0, 2.0, 4.0])]
)
def test_the_first_march_is_returned_until_the_second_comes_as_far(decisions, ends, tmp_path):
    march = March(Spring(), Twice(), 1e-12)
    assert march.run(over=after(decisions)).reason == ("the recipe ended" if decisions == 11 else "the time limit")
    assert [piece.end for piece in march.best.pieces] == ends and march.best.complete
    # the same from a journal, and from one that was broken off in between
    journal = Journal(tmp_path / "decisions.jsonl")
    March(Spring(), Twice(), 1e-12).run(journal, over=after(min(decisions, 6)))
    again = March(Spring(), Twice(), 1e-12)
    again.run(journal, over=after(decisions - min(decisions, 6)))
    assert [piece.end for piece in again.best.pieces] == ends
    t = {"t": torch.linspace(0, 4, 30, dtype=torch.float64)}
    for one, other in zip(march.best.pieces, again.best.pieces, strict=True):
        assert torch.equal(one.main.values(t), other.main.values(t)) and one.errors == other.errors


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_a_solve_is_broken_off_within_a_step_and_goes_on_to_the_same_bits(steps, tmp_path):
    journal, whole = Journal(tmp_path / "decisions.jsonl"), March(Spring(), Twice(), 1e-12)
    assert whole.run().reason == "the recipe ended"
    first = March(Spring(), Twice(), 1e-12)
    # steps of the first solve are not broken off: without it there is nothing
    stop = first.run(journal, late=after(steps))
    assert stop.reason == "the time limit" and first.found and first.settle().pieces
    assert len(journal.lines()) >= 1
    again = March(Spring(), Twice(), 1e-12)
    assert again.run(journal).reason == "the recipe ended"
    t = {"t": torch.linspace(0, 4, 30, dtype=torch.float64)}
    for one, other in zip(whole.best.pieces, again.best.pieces, strict=True):
        assert torch.equal(one.main.values(t), other.main.values(t)) and one.errors == other.errors


def test_a_solution_of_a_solve_that_ended_after_a_restart(tmp_path):
    class BrokenOff(Twice):
        def decisions(self, progress):
            wrapped, answer = super().decisions(progress), None
            for _ in range(7):
                answer = yield wrapped.send(answer)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        pinnlab.solve(Spring(), tol=1e-12, recipe=BrokenOff())
    solution = raised.value.solution
    assert solution.ending.windows == 2 and solution.ending.features == 12 and np.isfinite(solution.ending.error)
    t = np.linspace(0, 4, 50)
    assert np.abs(solution(t=t) - np.cos(t)).max() <= 3 * solution.metrics["uncertainty_u"]


def test_a_second_march_that_is_worse_is_not_returned():
    march = March(Spring(), Twice(first=30, second=8), 1e-12)
    march.run()
    assert len(march.way.pieces) == 3 and len(march.best.pieces) == 2
    assert max(march.best.errors.values()) < max(march.way.errors.values())


def test_what_was_only_proposed_is_found_again_from_a_journal(tmp_path):
    """A solve that is stopped before anything is accepted returns the last proposal, also when it is continued."""

    class Proposing(Recipe):
        def decisions(self, progress):
            for count in (12, 30):
                yield Proposal(Features(count, (5.0,)), 4.0)
            yield Accept()
            return Stop(True)

    journal = Journal(tmp_path / "decisions.jsonl")
    first, second = (March(Spring(), Proposing(), 1e-12) for _ in range(2))
    t = {"t": torch.linspace(0, 4, 30, dtype=torch.float64)}
    for march in (first, second):
        assert march.run(journal, over=after(2 if march is first else 0)).reason == "the time limit"
        assert march.found == (march is first) and [piece.main.features.count for piece in march.settle().pieces] == [
            30
        ]
    assert torch.equal(*(march.best.pieces[0].main.values(t) for march in (first, second)))
    assert not March(Spring(), Proposing(), 1e-12).settle().pieces


def test_which_way_is_the_best():
    time = Evolution("t", 0.0, 4.0, {"u": 2}, ("start",))

    def way(*pieces, evolution=time):
        found = Way(Spring(), evolution)
        for end, error in pieces:
            found.add(Piece(end, None, None, {"u": error}, torch.ones(1)))
        return found

    short, long, exact = way((1.0, 1e-9)), way((1.0, 1e-9), (4.0, 1e-3)), way((4.0, 1e-6))
    assert best([short, long]) is long and best([long, short]) is long and best([long, exact]) is exact
    assert best([short, way()]) is short and best([way(), short]) is short
    equal = way((4.0, 1e-6))
    assert best([exact, equal]) is equal
    assert not short.complete and long.complete and short.time == 1.0 and way().time == 0.0
    whole = way((None, 1e-3), (None, 1e-6), evolution=None)
    assert len(whole.pieces) == 1 and whole.complete and whole.time is None and whole.errors == {"u": 1e-6}
    assert best([whole, way(evolution=None)]) is whole
