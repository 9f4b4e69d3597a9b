"""Continuation in a parameter: the way to a hard value, what ends it, and that it is resumed to the same bits."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_bvp

import pinnlab
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Disc, Interval
from pinnlab.strategy import (
    Accept,
    Continuation,
    Features,
    Outcome,
    Progress,
    Proposal,
    Recipe,
    Refinement,
    Stop,
    Vary,
)
from pinnlab.strategy.agreement import Piece
from pinnlab.strategy.journal import Journal
from pinnlab.strategy.march import March, Start
from pinnlab.strategy.way import Way, best


class Gelfand(Equation):
    """Δu + λ eᵘ = 0 in the unit disc, u = 0 on its edge: two solutions for λ < 2, one for 2, and none beyond."""

    inputs, outputs = ("x", "y"), ("u",)

    def __init__(self, lam):
        super().__init__()
        self.lam = lam

    def constraints(self):
        disc = Disc((0, 0), 1)
        return {"interior": Constraint(disc, self.balance), "edge": Constraint(disc.boundary, lambda u: u)}

    def balance(self, x, y, u):
        return pinnlab.laplacian(u, x, y) + self.lam * torch.exp(u)

    def truth(self, radius):
        b = (4 - self.lam - math.sqrt(16 - 8 * self.lam)) / self.lam
        return 2 * np.log((1 + b) / (1 + b * radius**2))


class Bend(Equation):
    """ε u'' + u u' − u = 0 from u(0) = −1 to u(1) = 3/2 (Lagerstrom, Cole 1955): a steep front between two slopes."""

    inputs, outputs = ("x",), ("u",)
    count = 3
    """A number that no residual reads."""

    def __init__(self, diffusion=0.005):
        super().__init__()
        self.diffusion, self.label = diffusion, "u"

    @property
    def reynolds(self):
        return 1 / self.diffusion

    def constraints(self):
        line = Interval(x=(0, 1))
        return {
            "inside": Constraint(line, self.balance),
            "left": Constraint(line.face("x", 0), lambda u: u + 1),
            "right": Constraint(line.face("x", 1), lambda u: u - 1.5),
        }

    def balance(self, x, u):
        return self.diffusion * u.d(x, x) + u * u.d(x) - u


class Bratu(Equation):
    """u'' + λ eᵘ = 0, u = 0 at both ends: no solution beyond λ = 3.5138."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, lam=3.5):
        super().__init__()
        self.lam = lam

    def constraints(self):
        line = Interval(x=(0, 1))
        return {"inside": Constraint(line, self.balance), "ends": Constraint(line.boundary, lambda u: u)}

    def balance(self, x, u):
        return u.d(x, x) + self.lam * torch.exp(u)


class Decay(Bratu):
    """u' = −λu from 1, which has a time."""

    def constraints(self):
        line = Interval(x=(0, 1))
        start = Constraint(line.face("x", 0), lambda u: u - 1)
        return {"law": Constraint(line, lambda x, u: u.d(x) + self.lam * u), "start": start}


def small():
    return Refinement(surveyed=60, first=150, most=600)


def test_close_to_a_fold():
    solution = pinnlab.solve(Gelfand(1.99), tol=1e-6, recipe=Continuation("lam", 1.0, small()))
    assert solution.ending.reached
    radius = np.linspace(0, 1, 50)
    assert np.abs(solution(x=radius, y=0.0) - Gelfand(1.99).truth(radius)).max() < 1e-6
    assert solution.model.equation.lam == 1.99


def test_beyond_a_fold_the_last_value_is_named():
    solution = pinnlab.solve(Gelfand(2.2), tol=1e-6, recipe=Continuation("lam", 1.0, small()))
    assert not solution.ending.reached and math.isinf(solution.ending.error)
    before, last = solution.ending.reason.split(" = ")
    assert before == "no solution was found beyond lam"
    assert 1.95 < float(last) <= 2.01
    # it is the solution for that value, and its ± says that it is none of the equation
    assert solution(x=0.0, y=0.0) == pytest.approx(Gelfand(float(last)).truth(0.0), rel=1e-2)
    assert math.isinf(solution.metrics["uncertainty_u"])


def test_a_front_that_is_not_found_from_nothing():
    alone = pinnlab.solve(Bend(), tol=1e-6, recipe=Refinement(most=320))
    assert not alone.ending.reached
    solution = pinnlab.solve(Bend(), tol=1e-6, recipe=Continuation("diffusion", 1.0, Refinement(most=800)))
    assert solution.ending.reached
    # a collocation of another kind, from the two slopes that the front joins
    x = np.linspace(0, 1, 2001)
    guess = np.array([np.where(x < 0.25, x - 1, x + 0.5), np.ones_like(x)])
    truth = solve_bvp(
        lambda _, y: (y[1], y[0] * (1 - y[1]) / 0.005),
        lambda left, right: (left[0] + 1, right[0] - 1.5),
        x,
        guess,
        tol=1e-8,
        max_nodes=100_000,
    )
    assert truth.success
    assert np.abs(solution(x=x) - truth.sol(x)[0]).max() < 1e-6


class Rate(Equation):
    """u' = c k², u(0) = 0, u(1) = 4: k is 2/√c or −2/√c."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, c=1.0):
        super().__init__()
        self.c, self.k = c, Unknown(1.0)

    def constraints(self):
        line = Interval(x=(0, 1))
        return {
            "slope": Constraint(line, self.slope),
            "first": Constraint(line.face("x", 0), lambda u: u),
            "last": Constraint(line.face("x", 1), lambda u: u - 4),
        }

    def slope(self, x, u, k):
        return u.d(x) - self.c * k * k


def test_unknowns_begin_at_those_before():
    march = March(
        Rate(), Continuation("c", 16.0), 1e-6, start=Start(lambda points: 4 * points["x"][:, None], {"k": -0.4})
    )
    found = []

    def tell(decision, answer):
        if isinstance(decision, Accept):
            found.append(march.way.pieces[-1].main.unknowns()["k"])

    assert march.run(tell=tell) == Stop(True)
    assert found == pytest.approx([-2 / math.sqrt(c) for c in (16, 8, 16**0.375, 1)])


# resuming


class KilledError(Exception):
    """A kill."""


def marched(journal=None, after=math.inf):
    """A continuation with a step that fails; broken off after so many decisions."""
    march, told = March(Bratu(), Continuation("lam", 0.5), 1e-9), []

    def tell(decision, answer):
        told.append((decision, answer))
        if len(told) == after:
            raise KilledError

    try:
        return march, told, march.run(journal, tell=tell)
    except KilledError:
        return march, told, None


def test_a_continuation_that_was_killed_goes_on_bit_for_bit(tmp_path):
    march, told, stop = marched()
    assert stop == Stop(True) and march.best.complete
    values = [decision.value for decision, _ in told if isinstance(decision, Vary)]
    assert values[0] == 0.5 and values[-1] == 3.5
    # before and after each change of the value and each acceptance
    kinds = [type(decision) for decision, _ in told]
    breaks = {k + after for k, kind in enumerate(kinds) if kind in (Vary, Accept) for after in (0, 1)}
    for k in sorted(breaks - {0, len(told)}):
        (tmp_path / str(k)).mkdir()
        journal = Journal(tmp_path / str(k) / "decisions.jsonl")
        assert marched(journal, after=k)[2] is None
        again, told_again, stop_again = marched(Journal(journal.path))
        assert (told_again, stop_again) == (told, stop)
        assert again.progress.features == march.progress.features
        for name in ("main", "other"):
            for key, value in march.best.pieces[0].state[name].items():
                assert torch.equal(again.best.pieces[0].state[name][key], value)


def test_what_is_found_when_it_is_broken_off():
    """The solution for the last value that was reached, which is none of the equation as written."""
    left = iter(range(9))
    march = March(Bratu(), Continuation("lam", 0.5), 1e-9)
    stop = march.run(over=lambda: "" if next(left, None) is not None else "the time limit")
    assert stop == Stop(False, "the time limit")
    assert march.best.pieces and not march.best.complete and march.found


def test_the_way_for_the_equation_as_written_is_the_best():
    def way(error, written=True):
        found = Way(Bratu(), None, written=written)
        found.add(Piece(None, None, None, {"u": error}, torch.ones(1)))
        return found

    early, late, rough, fine = way(1e-9, written=False), way(1e-2, written=False), way(1e-1), way(1e-3)
    assert best([early, late]) is late and best([early, Way(Bratu(), None)]) is early
    assert best([early, rough, late]) is rough and best([rough, fine]) is best([fine, rough]) is fine
    assert not late.complete and rough.complete


# steps


class Easy(Recipe):
    """One proposal, which is accepted."""

    def decisions(self, progress):
        outcome = yield Proposal(FEATURES)
        yield Accept()
        return Stop(outcome.error <= progress.tol, "few features")


FEATURES = Features(40, (3.0,))


def outcome(error, fewer=math.inf):
    return Outcome(None, error, error, {}, 1e-3, errors={"u": error}, held_out_fewer=fewer)


def way(start, end, errors, answers=None):
    """The values that are tried for the errors of the proposals, and the end."""
    progress = Progress(Bratu(end), None, 1e-6, features=FEATURES)
    decisions, values, answer = Continuation("lam", start, Easy()).decisions(progress), [], None
    rest = iter(answers or map(outcome, errors))
    try:
        while True:
            decision = decisions.send(answer)
            values += [decision.value] if isinstance(decision, Vary) else []
            answer = next(rest) if isinstance(decision, Proposal) else None
    except StopIteration as stop:
        return values, stop.value


def test_steps_get_longer_after_successes_and_are_halved_after_failures():
    # the fourth proposal fails
    values, stop = way(1.0, 16.0, [1e-2, 1e-2, 1e-2, 1.0, 1e-2, 1e-2, 1e-7])
    assert stop.reached
    parts = [math.log(value, 16) for value in values]
    assert parts == pytest.approx([0, 0.25, 0.625, 1, 0.8125, 1, 1])
    # a difference where there is no factor
    values, stop = way(-1.0, 3.0, [1e-7] * 4)
    assert stop == Stop(True) and values == pytest.approx([-1, 0, 1.5, 3])
    assert way(0.0, 2.0, [1e-7] * 4)[0] == pytest.approx([0, 0.5, 1.25, 2])
    # to a smaller value too
    assert way(4.0, 0.25, [1e-7] * 4)[0] == pytest.approx([4, 2, 16 ** (1 - 0.625) / 4, 0.25])


def test_steps_that_get_too_short_end_it():
    values, stop = way(1.0, 16.0, itertools.chain([1e-2, 1e-2], itertools.repeat(1.0)))
    assert stop == Stop(False, "no solution was found beyond lam = 2")
    assert len(values) < 10 and values[-1] > 2
    assert all(later < earlier for earlier, later in itertools.pairwise(values[2:]))
    _, stop = way(1.0, 16.0, [0.5])
    assert stop == Stop(False, "no solution was found for lam = 1: few features")


def test_more_features_are_tried_while_they_help():
    values, stop = way(1.0, 16.0, [1e-2, 0.25, 0.12, 8e-3, 1e-7, 1e-7])
    assert stop == Stop(True) and [math.log(value, 16) for value in values] == pytest.approx([0, 0.25, 0.625, 1])
    # what does not help is a failure: half a step is next
    values, _ = way(1.0, 16.0, [1e-2, 0.25, 0.15, *[1e-7] * 5])
    assert [math.log(value, 16) for value in values[:3]] == pytest.approx([0, 0.25, 0.125])


@pytest.mark.parametrize(("fewer", "found"), [(1.01e-3, False), (3e-3, True)])
def test_solves_that_are_left_with_one_loss_found_no_solution(fewer, found):
    values, _ = way(1.0, 16.0, [], [outcome(1e-2), outcome(1e-2, fewer), *[outcome(1e-7)] * 9])
    assert (math.log(values[2], 16) > 0.25) is found


# what is wrong


class Found(Bratu):
    """With a number that is found."""

    def __init__(self):
        super().__init__()
        self.k = Unknown(1.0)


@pytest.mark.parametrize(
    ("equation", "recipe", "message"),
    [
        (Bend(), ("nu", 1.0), "Bend has no number 'nu' among its attributes; it has count, diffusion$"),
        (Bend(), ("label", 1.0), "no number 'label'"),
        (Bend(), ("reynolds", 1.0), "no number 'reynolds'"),
        (Bend(), ("balance", 1.0), "no number 'balance'"),
        (Bend(), ("training", 1.0), "no number 'training'"),
        (Found(), ("k", 2.0), "no number 'k' among its attributes; it has lam"),
        (Bend(), ("count", 1.0), "Bend stays the same when its attribute 'count' changes: let a residual read self"),
        (Bend(), ("diffusion", 0.005), "Bend has diffusion = 0.005: give another number to start from"),
        (Bend(), ("diffusion", math.nan), "give another number to start from"),
        (Bend(), ("diffusion", 1.0, Refinement(), 0.0), "rough lies between 0 and 1"),
        (Decay(), ("lam", 1.0), "Decay has a time, x: only an equation without one"),
    ],
)
def test_what_cannot_be_varied_is_a_line(equation, recipe, message):
    with pytest.raises(UserError, match=message) as raised:
        pinnlab.solve(equation, tol=1e-6, recipe=Continuation(*recipe))
    assert "\n" not in str(raised.value)


def test_a_recipe_that_stops_on_the_way_has_not_reached_the_tolerance():
    class Halfway(Recipe):
        def decisions(self, progress):
            yield Vary("lam", 1.0)
            yield Proposal(FEATURES)
            yield Accept()
            return Stop(True)

    equation = Bratu()
    solution = pinnlab.solve(equation, tol=1e-1, recipe=Halfway())
    assert not solution.ending.reached and "before the end" in solution.ending.reason
    assert equation.lam == solution.model.equation.lam == 3.5
    x = np.linspace(0, 1, 11)
    at_one = pinnlab.solve(Bratu(1.0), tol=1e-6)
    assert np.abs(solution(x=x) - at_one(x=x)).max() < 1e-5
