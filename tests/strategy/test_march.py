"""The loop of a solve: the same decisions every time, also after a kill; recipes of the user's own."""

import dataclasses
import json
import math
import shutil

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import pinnlab
from pinnlab.equations import Constraint, Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval
from pinnlab.strategy import (
    Accept,
    Features,
    Outcome,
    Proposal,
    Recheck,
    Recipe,
    Refinement,
    Restart,
    Stop,
    Survey,
)
from pinnlab.strategy.journal import Journal
from pinnlab.strategy.march import March
from pinnlab.training.setup.settings import default_dtype


class Pendulum(Equation):
    """θ'' = −sin θ from (2, 0)."""

    inputs, outputs = ("t",), ("angle",)

    def constraints(self):
        line = Interval(t=(0, 6))
        return {
            "ode": Constraint(line, lambda t, angle: angle.d(t, t) + torch.sin(angle)),
            "start": Constraint(line.face("t", 0), lambda t, angle: (angle - 2, angle.d(t))),
        }


class Heat(Equation):
    """u_t = u_xx from sin πx."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 0.2), x=(0, 1))
        return {
            "inside": Constraint(box, lambda t, x, u: u.d(t) - u.d(x, x)),
            "start": Constraint(box.face("t", 0), lambda x, u: u - torch.sin(math.pi * x)),
            "walls": Constraint(box.faces("x"), lambda u: u),
        }

    def exact(self, t, x):
        return torch.exp(-(math.pi**2) * t) * torch.sin(math.pi * x)


class Membrane(Equation):
    """Δu + 2π² sin πx sin πy = 0 on the unit square, 0 on its boundary."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        square = Box(x=(0, 1), y=(0, 1))
        return {
            "inside": Constraint(square, lambda x, y, u: u.d(x, x) + u.d(y, y) + 2 * math.pi**2 * self.exact(x, y)),
            "walls": Constraint(square.boundary, lambda u: u),
        }

    def exact(self, x, y):
        return torch.sin(math.pi * x) * torch.sin(math.pi * y)


class Front(Equation):
    """A front along x: u = tanh((x − 0.3)/0.08) cos y from its second derivatives and its values on the boundary."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        box = Box(x=(-1, 1), y=(0, 1))
        return {"inside": Constraint(box, self.balance), "walls": Constraint(box.boundary, self.difference)}

    def difference(self, x, y, u):
        return u - self.exact(x, y)

    def balance(self, x, y, u):
        front = torch.tanh((x - 0.3) / 0.08)
        return u.d(x, x) + u.d(y, y) + (2 / 0.08**2 * front * (1 - front**2) + front) * torch.cos(y)

    def exact(self, x, y):
        return torch.tanh((x - 0.3) / 0.08) * torch.cos(y)


class Thirds(Recipe):
    """The time in three windows, of which the second is tried twice; the first march is given up after two."""

    def __init__(self, features):
        self.features = features

    def decisions(self, progress):
        end = progress.evolution.end
        yield Survey((self.features, self.features.grown(2.0)), end, "only to see")
        for again in (False, True):
            yield Proposal(self.features, end / 3)
            yield Accept()
            yield Proposal(self.features.grown(0.8), end / 2)
            yield Proposal(self.features, 2 * end / 3, "longer")
            yield Accept()
            if not again:
                yield Restart("to see that it is the same again")
        outcome = yield Proposal(self.features, end)
        yield Accept()
        return Stop(outcome.error < progress.tol, "" if outcome.error < progress.tol else "nothing else is tried")


class CheckedAgain(Recipe):
    """The time in three windows; after two of them their solutions with fewer features get more of them."""

    def __init__(self, features):
        self.features = features

    def decisions(self, progress):
        end = progress.evolution.end
        for third in (1, 2):
            yield Proposal(self.features.grown(0.5), third * end / 3)
            yield Proposal(self.features, third * end / 3)
            yield Accept()
        for window in (0, 1):
            yield Recheck(window, 0.9)
        outcome = yield Proposal(self.features, end)
        yield Accept()
        return Stop(outcome.error < progress.tol, "" if outcome.error < progress.tol else "nothing else is tried")


# equation, recipe, tolerance
SOLVES = {
    "windows of the default recipe": (Pendulum, Refinement, 1e-7),
    "windows and a restart": (Pendulum, lambda: Thirds(Features(30, (10.0,))), 1e-6),
    "windows that are checked again": (Pendulum, lambda: CheckedAgain(Features(30, (10.0,))), 1e-6),
    "windows of two inputs": (Heat, lambda: Thirds(Features(40, (1.5, 1.5))), 3e-2),
    "a front in stretched coordinates": (Front, lambda: Refinement(surveyed=200, first=200, most=800), 1e-3),
    "one piece": (Membrane, lambda: Refinement(surveyed=40, first=60, most=600), 1e-4),
}


class KilledError(Exception):
    """A kill."""


def marched(name, journal=None, after=math.inf, seed=0):
    """A march of a solve, its decisions and answers, and its end; None for the end where it was broken off."""
    equation, recipe, tol = SOLVES[name]
    march, told = March(equation(), recipe(), tol, seed), []

    def tell(decision, answer):
        told.append((decision, answer))
        if len(told) == after:
            raise KilledError

    try:
        stop = march.run(journal, tell=tell)
    except KilledError:
        stop = None
    return march, told, stop


@pytest.fixture(scope="module")
def unbroken():
    """The march of each solve as it is without a break, found when it is asked for."""
    found = {}

    def of(name):
        if name not in found:
            found[name] = marched(name)
        return found[name]

    return of


def same(found, expected):
    """Whether two values are the same bit for bit."""
    if isinstance(expected, torch.Tensor):
        return found.dtype == expected.dtype and torch.equal(found, expected)
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[key], value) for key, value in expected.items())
    return found == expected


def assert_same(found, expected):
    (march, told, stop), (other, expected_told, expected_stop) = found, expected
    assert told == expected_told
    assert stop == expected_stop
    assert march.way.complete == other.way.complete
    assert march.progress == dataclasses.replace(other.progress, equation=march.equation)
    assert len(march.way.pieces) == len(other.way.pieces)
    for piece, expected_piece in zip(march.way.pieces, other.way.pieces, strict=True):
        assert piece.end == expected_piece.end
        assert same(piece.state, expected_piece.state)
        assert piece.main.count == expected_piece.main.count
    assert march.way.errors == other.way.errors


@pytest.mark.parametrize("name", SOLVES)
def test_what_the_solves_are_like(unbroken, name):
    """What the tests below need: several pieces or proposals, and with windows a rejected proposal."""
    march, told, stop = unbroken(name)
    kinds = [type(decision).__name__ for decision, _ in told]
    assert stop == Stop(True) and march.way.complete
    assert kinds.count("Proposal") >= 2
    assert march.evolution is None or (len(march.way.pieces) > 1 and "ProposalProposal" in "".join(kinds))
    assert kinds[-1] == "Accept"
    for decision, answer in told:
        match decision:
            case Proposal():
                assert isinstance(answer, Outcome)
            case Survey():
                assert len(answer) == len(decision.features)
            case Recheck():
                assert len(answer) == 1
            case _:
                assert answer is None


@pytest.mark.parametrize("name", SOLVES)
def test_the_same_solve_decides_the_same(unbroken, name):
    torch.manual_seed(7)  # whatever was drawn before
    assert_same(marched(name), unbroken(name))


def test_a_front_is_found_where_it_is(unbroken):
    march, told, _ = unbroken("a front in stretched coordinates")
    features = march.way.pieces[-1].main.features
    along_x, along_y = features.layers
    assert along_y == () and min(abs(centre - 0.3) for centre, _ in along_x) < 0.02
    assert min(width for _, width in along_x) == pytest.approx(0.08, rel=0.5)
    # the first proposal had as many features, and an error of a fifth
    first = next(answer for decision, answer in told if isinstance(decision, Proposal))
    assert features.count == 200 and first.error > 0.05
    points = {"x": torch.linspace(-1, 1, 500), "y": torch.linspace(0, 1, 500)}
    error = march.way.pieces[-1].main.values(points)[:, 0] - Front().exact(**points)
    assert float(error.abs().max()) < 2e-3
    assert any(isinstance(decision, Proposal) and decision.features.layers for decision, _ in told)


def test_another_seed_is_another_solve(unbroken):
    march, _, _ = marched("windows and a restart", seed=5)
    other = unbroken("windows and a restart")[0]
    assert not same(march.way.pieces[0].state, other.way.pieces[0].state)
    points = {"t": torch.linspace(0, 2, 50)}
    torch.testing.assert_close(
        march.way.pieces[0].main.values(points), other.way.pieces[0].main.values(points), rtol=0, atol=1e-7
    )


def breaks(told):
    """Between the first proposal and its acceptance, after a restart or a recheck, and before the last acceptance."""
    kinds = [type(decision) for decision, _ in told]
    accept = kinds.index(Accept)
    restarts = [k + 1 for k, kind in enumerate(kinds) if kind in (Restart, Recheck)]
    return [accept, *restarts, len(told) - 1]


@pytest.mark.slow
@pytest.mark.parametrize("name", SOLVES)
def test_a_solve_that_was_killed_goes_on_bit_for_bit(unbroken, name, tmp_path):
    for k in breaks(unbroken(name)[1]):
        folder = tmp_path / str(k)
        folder.mkdir()
        journal = Journal(folder / "decisions.jsonl")
        _, told, stop = marched(name, journal, after=k)
        assert stop is None and len(told) == k == len(journal.lines())
        assert_same(marched(name, Journal(journal.path)), unbroken(name))
        assert len(journal.lines()) == len(unbroken(name)[1])


def test_a_solve_that_is_killed_again_and_again(unbroken, tmp_path):
    """Every call takes one more decision, and the last line of each is cut off."""
    name, journal = "windows and a restart", Journal(tmp_path / "decisions.jsonl")
    total = len(unbroken(name)[1])
    for k in range(1, total):
        assert marched(name, journal, after=k)[2] is None
        with journal.path.open("a") as file:
            file.write('{"decision": "Propo')
        assert len(journal.lines()) == k
    assert_same(marched(name, journal), unbroken(name))
    assert len(journal.lines()) == total
    assert all(isinstance(json.loads(line), dict) for line in journal.path.read_text().splitlines())


def test_a_kill_between_a_piece_and_its_line(unbroken, tmp_path):
    name, journal = "windows and a restart", Journal(tmp_path / "decisions.jsonl")
    marched(name, journal, after=3)
    lines = journal.path.read_text().splitlines(keepends=True)
    assert json.loads(lines[-1])["decision"] == "Accept" and (tmp_path / "piece_1.pt").exists()
    journal.path.write_text("".join(lines[:-1]))
    assert_same(marched(name, journal), unbroken(name))


def test_a_restart_begins_again(unbroken):
    march, told, _ = unbroken("windows and a restart")
    kinds = [type(decision) for decision, _ in told]
    restart = kinds.index(Restart)
    first, second = told[1:restart], told[restart + 1 : 2 * restart]
    assert first == second
    assert first[0][1].begin == second[0][1].begin == 0.0
    assert [piece.end for piece in march.way.pieces] == [2.0, 4.0, 6.0]


def test_a_recheck_lowers_the_error_and_leaves_the_solution(unbroken):
    march, told, _ = unbroken("windows that are checked again")
    k = [type(decision) for decision, _ in told].index(Recheck)
    before = marched("windows that are checked again", after=k)[0]
    for number in (0, 1):
        former, piece = before.way.pieces[number], march.way.pieces[number]
        assert same(piece.main.residuals.state_dict(), former.main.residuals.state_dict())
        assert (former.other.features.count, piece.other.features.count) == (21, 27)
        assert told[k + number][1] == (piece.errors["angle"],)
        assert piece.errors["angle"] < 0.3 * former.errors["angle"]
        # and it is no smaller than the truth
        t = torch.linspace(former.main.points["ode"]["t"].min(), piece.end, 100)
        exact = solve_ivp(
            lambda _, y: (y[1], -np.sin(y[0])), (0, 6), (2, 0), "DOP853", t.numpy(), rtol=1e-13, atol=1e-13
        ).y[0]
        error = np.abs(piece.main.values({"t": t})[:, 0].numpy() - exact).max() / 2
        assert error < 3 * piece.errors["angle"] + 1e-12


def test_an_outcome_tells_where_its_window_began(unbroken):
    march, told, _ = unbroken("windows of the default recipe")
    now, begins = 0.0, []
    for (decision, answer), following in zip(told, [d for d, _ in told[1:]] + [None], strict=True):
        if isinstance(decision, Proposal):
            begins.append(answer.begin)
            assert answer.begin == now and now <= answer.where["t"] <= decision.end
            now = decision.end if isinstance(following, Accept) else now
    assert now == 6.0 and len(set(begins)) == len(march.way.pieces)


def test_the_errors_are_the_largest_of_all_windows(unbroken):
    march, told, _ = unbroken("windows of the default recipe")
    assert march.way.errors == {"angle": max(piece.errors["angle"] for piece in march.way.pieces)}
    last = [answer for _, answer in told if isinstance(answer, Outcome)][-1]
    assert last.error == march.way.errors["angle"] <= 1e-7


def test_the_truth_of_the_windows(unbroken):
    """The pieces one after another are the solution of a solver of another kind, and join each other."""
    for name in ("windows of the default recipe", "windows and a restart"):
        march, begin = unbroken(name)[0], 0.0
        for piece in march.way.pieces:
            t = np.linspace(begin, piece.end, 50)
            exact = solve_ivp(
                lambda _, y: (y[1], -np.sin(y[0])), (0, 6), (2, 0), t_eval=t, rtol=1e-12, atol=1e-12, method="DOP853"
            ).y[0]
            found = piece.main.values({"t": torch.from_numpy(t)})[:, 0].numpy()
            assert np.abs(found - exact).max() < 10 * SOLVES[name][2]
            begin = piece.end


# journals


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The folder of a solve that was broken off after seven decisions, two of which accepted a piece."""
    folder = tmp_path_factory.mktemp("begun")
    with default_dtype(torch.float64):
        marched("windows and a restart", Journal(folder / "decisions.jsonl"), after=7)
    return folder


def edited(find, put):
    def change(folder):
        path = folder / "decisions.jsonl"
        text = path.read_text()
        assert find in text
        path.write_text(text.replace(find, put, 1))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edited('"count": 30', '"count": 31'), r"the journal is of another solve: it has Survey\(.*now it would be"),
        (edited('"Accept"', '"Restart", "why": "x"'), r"of another solve: it has Restart\(.*would be Accept\(\)"),
        (edited('"Accept"', '"Wait"'), "unknown decision 'Wait'"),
        (edited('{"decision": "Proposal"', '{"decision" "Proposal"'), r"decisions\.jsonl is damaged"),
        (edited('{"decision": "Proposal"', '{"resolution": "Proposal"'), r"decisions\.jsonl is damaged"),
        (edited('"held_out"', '"held_in"'), r"decisions\.jsonl is damaged"),
        (edited('{"decision": "Survey"', '[]\n{"decision": "Survey"'), r"decisions\.jsonl is damaged"),
        (lambda f: (f / "decisions.jsonl").write_bytes(b"\xff\xfe\x00\n"), r"decisions\.jsonl is damaged"),
        (lambda f: (f / "piece_1.pt").unlink(), r"piece_1\.pt is missing or damaged: begin again"),
        (lambda f: (f / "piece_1.pt").write_bytes(b""), r"piece_1\.pt is missing or damaged"),
        (lambda f: (f / "piece_1.pt").write_bytes(b"no piece\n" * 99), r"piece_1\.pt is missing or damaged"),
        (lambda f: (f / "piece_2.pt").write_bytes((f / "piece_2.pt").read_bytes()[:-500]), r"piece_2\.pt is missing"),
        (lambda f: torch.save({"main": 1}, f / "piece_2.pt"), r"piece_2\.pt is missing or damaged"),
        (lambda f: torch.save([1], f / "piece_2.pt"), r"piece_2\.pt is missing or damaged"),
        (lambda f: torch.save(Features(3, (1.0,)), f / "piece_1.pt"), r"piece_1\.pt is missing or damaged"),
    ],
)
def test_a_journal_that_does_not_fit_is_refused_in_a_line(begun, tmp_path, change, message):
    folder = shutil.copytree(begun, tmp_path / "copy")
    change(folder)
    with pytest.raises(UserError, match=message) as raised:
        marched("windows and a restart", Journal(folder / "decisions.jsonl"))
    assert "\n" not in str(raised.value)


def test_a_journal_of_another_equation_is_refused(tmp_path):
    journal = Journal(tmp_path / "decisions.jsonl")
    marched("windows of two inputs", journal, after=1)
    with pytest.raises(UserError, match="of another solve"):
        marched("windows and a restart", journal)


def test_a_journal_brings_back_every_answer(tmp_path):
    journal = Journal(tmp_path / "decisions.jsonl")
    assert list(journal.entries()) == [] == journal.lines()
    features = Features(20, (1 / 3, 4.0), seed=3)
    outcome = Outcome(None, 0.1 + 0.2, math.inf, {"x": 1 / 3, "z": [0.1, 0.2]}, 1e-300, 0.5, 1e-7)
    entries = [
        (Survey((features, features.grown(2.0)), 1 / 7, "scales"), (0.1, math.inf)),
        (Proposal(features, None, "why"), outcome),
        (Accept(), None),
        (Recheck(2, 0.9), (1e-9,)),
        (Restart("again"), None),
        (Proposal(features, 2 / 3), dataclasses.replace(outcome, begin=0.1)),
    ]
    for decision, answer in entries:
        journal.write(decision, answer, 0.25)
    assert list(journal.entries()) == entries
    assert [line["seconds"] for line in journal.lines()] == [0.25] * 6
    shutil.copy(journal.path, tmp_path / "copy.jsonl")
    assert list(Journal(tmp_path / "copy.jsonl").entries()) == entries


# recipes of the user's own


class Doubling(Recipe):
    """Windows of a quarter of the time, and twice the features wherever two solutions differ."""

    def decisions(self, progress):
        features = Features(20, (4.0,) if progress.evolution and progress.equation.dimension == 1 else (0.7, 0.7))
        ends = [progress.evolution.end * k / 4 for k in range(1, 5)] if progress.evolution else [None]
        for end in ends:
            outcome = yield Proposal(features, end)
            while outcome.local > 0.1 * progress.tol:
                if features.count > 500:
                    return Stop(False, f"{features.count} features are too few")
                features = features.grown(2.0)
                outcome = yield Proposal(features, end, "they differ")
            yield Accept()
        return Stop(outcome.error <= progress.tol)


@pytest.mark.parametrize(("equation", "windows"), [(Pendulum, 4), (Heat, 4), (Membrane, 1)])
def test_a_recipe_of_fifteen_lines(equation, windows):
    solution = pinnlab.solve(equation(), tol=1e-5, recipe=Doubling())
    assert solution.ending.reached and solution.ending.windows == windows
    assert max(value for name, value in solution.metrics.items() if name.startswith("uncertainty")) <= 2e-5
    if equation is not Pendulum:
        assert solution.metrics["max_error"] < 1e-5
    assert solution.history["solve/features"][0] == 20


def test_a_recipe_that_gives_up_is_believed():
    solution = pinnlab.solve(Membrane(), tol=1e-15, recipe=Doubling())
    assert not solution.ending.reached
    assert "features are too few" in solution.ending.reason and "features are too few" in repr(solution)
    assert 1e-15 < solution.ending.error < 1e-8


def of(*steps):
    """A recipe of given decisions; the last one is what it returns."""

    class Given(Recipe):
        def decisions(self, progress):
            for step in steps[:-1]:  # noqa: UP028 — a tuple takes no answers
                yield step
            return steps[-1]

    return Given()


FEW = Features(10, (4.0,))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (of(Accept(), Stop(True)), r"yields Accept\(\) after a Proposal"),
        (of(Proposal(FEW, 1.0), Accept(), Accept(), Stop(True)), r"yields Accept\(\) after a Proposal"),
        (of(Proposal(FEW, 1.0), Restart("x"), Accept(), Stop(True)), r"yields Accept\(\) after a Proposal"),
        (of("Proposal", Stop(True)), "yields a Proposal, Survey, Accept, Recheck, Restart or Vary, not 'Proposal'"),
        (of(Recheck(0), Stop(True)), "checks one of 0 accepted windows"),
        (of(Proposal(FEW, 1.0), Accept(), Recheck(1), Stop(True)), "checks one of 1 accepted windows"),
        (of(Proposal(FEW, 1.0), Accept(), Recheck(0, 1.5), Stop(True)), "with a part of its features"),
        (of(Proposal(FEW, 1.0), True), "returns a Stop, not True"),
        (of(Proposal(FEW), Stop(True)), r"from t = 0\.0 ends after that and by 6\.0, not at end=None"),
        (of(Survey((FEW,), 0.0), Stop(True)), r"ends after that and by 6\.0, not at end=0\.0"),
        (of(Proposal(FEW, math.nan), Stop(True)), "not at end=nan"),
        (of(Proposal(FEW, 6.5), Stop(True)), r"not at end=6\.5"),
        (of(Proposal(FEW, 6.0), Accept(), Proposal(FEW, 6.0), Stop(True)), r"from t = 6\.0 ends after that"),
        (of(Proposal(Features(10, (4.0, 4.0)), 6.0), Stop(True)), "one for each of 1 inputs, not 2"),
        (of(Proposal(Features(0, (4.0,)), 6.0), Stop(True)), "a positive number of features, not 0"),
        (of(Stop(True)), "no solution was found"),
    ],
)
def test_what_a_recipe_gets_wrong_is_a_line(recipe, message):
    with pytest.raises(UserError, match=message) as raised:
        pinnlab.solve(Pendulum(), tol=1e-6, recipe=recipe)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (of(Proposal(Features(40, (14.0,)), 3.0), Accept(), Stop(True)), "the recipe stopped before the end"),
        (of(Proposal(FEW, 6.0), Accept(), Stop(True)), "the estimated error is"),
    ],
)
def test_whatever_a_recipe_says_a_tolerance_is_reached_by_the_estimate_alone(recipe, reason):
    solution = pinnlab.solve(Pendulum(), tol=1e-5, recipe=recipe)
    assert not solution.ending.reached and solution.ending.error > 1e-5
    assert reason in solution.ending.reason and solution.findings
