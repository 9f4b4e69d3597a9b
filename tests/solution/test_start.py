"""A solve to a tolerance that begins at another solution: which of several solutions it finds, and how it goes on."""

import numpy as np
import pytest
import torch

import pinnlab
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Interval
from pinnlab.problems import Poisson
from pinnlab.strategy import Accept, Features, Proposal, Recipe, Refinement, Stop
from pinnlab.strategy.march import March, Start
from pinnlab.training.setup.settings import default_dtype


class Bratu(Equation):
    """u'' + eᵘ = 0, u = 0 at both ends: two solutions.

    They are u = 2 ln(cosh(θ/4) / cosh((x − 1/2) θ/2)) with both θ = √2 cosh(θ/4).
    """

    inputs, outputs = ("x",), ("u",)
    # by Newton's iteration
    LOWER, UPPER = 1.5171645990507545, 10.938702772125067

    def constraints(self):
        line = Interval(x=(0, 1))
        return {
            "interior": Constraint(line, lambda x, u: u.d(x, x) + torch.exp(u)),
            "ends": Constraint(line.boundary, lambda u: u),
        }

    @staticmethod
    def truth(x, angle):
        return 2 * np.log(np.cosh(angle / 4) / np.cosh((x - 0.5) * angle / 2))


class Guess(Equation):
    """u = height · 4 x (1 − x)."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, height):
        super().__init__()
        self.height = height

    def constraints(self):
        return {"all": Constraint(Interval(x=(0, 1)), lambda x, u: u - self.height * 4 * x * (1 - x))}


X = np.linspace(0, 1, 101)


@pytest.fixture(scope="module")
def guess():
    return pinnlab.solve(Guess(4.0), tol=1e-3)


def test_the_start_says_which_solution_is_found(guess):
    lower = pinnlab.solve(Bratu(), tol=1e-9)
    upper = pinnlab.solve(Bratu(), tol=1e-9, start=guess)
    for solution, angle in ((lower, Bratu.LOWER), (upper, Bratu.UPPER)):
        assert solution.ending.reached
        assert np.abs(solution(x=X) - Bratu.truth(X, angle)).max() < 1e-8
    # from a solution the same solution
    again = pinnlab.solve(Bratu(), tol=1e-9, start=upper)
    assert again.ending.reached and np.abs(again(x=X) - upper(x=X)).max() < 1e-8


class Once(Recipe):
    """One proposal, which is accepted; broken off before or not."""

    def decisions(self, progress):
        outcome = yield Proposal(Features(40, (14.0,)))
        if broken:
            raise KeyboardInterrupt
        yield Accept()
        return Stop(outcome.error < progress.tol)


broken = False


def test_a_resumed_solve_has_the_same_start(guess, tmp_path, monkeypatch):
    whole = pinnlab.solve(Bratu(), tol=1e-6, start=guess, recipe=Once())
    options = {"tol": 1e-6, "recipe": Once(), "folder": tmp_path / "run"}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setitem(globals(), "broken", True)
        pinnlab.solve(Bratu(), start=guess, **options)
    for other in (None, whole):
        with pytest.raises(UserError, match=r"was begun with start [0-9a-f]{16}, not"):
            pinnlab.solve(Bratu(), start=other, **options)
    again = pinnlab.solve(Bratu(), start=guess, **options)
    np.testing.assert_array_equal(again(x=X), whole(x=X))


def test_a_folder_is_a_start(tmp_path):
    small = Refinement(surveyed=40, first=80)
    first = pinnlab.solve(Poisson(), tol=1e-2, recipe=small, folder=tmp_path / "first")
    one, other = (
        pinnlab.solve(Poisson(), tol=1e-2, recipe=small, start=start, seed=1)(x=X, y=0.5)
        for start in (first, tmp_path / "first")
    )
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, first(x=X, y=0.5))


class Rate(Equation):
    """u' = k², u(0) = 0, u(1) = 4: k is 2 or −2."""

    inputs, outputs = ("x",), ("u",)

    def __init__(self, start=1.0, bounds=None):
        super().__init__()
        self.k = Unknown(start, bounds=bounds)

    def constraints(self):
        line = Interval(x=(0, 1))
        return {
            "slope": Constraint(line, lambda x, u, k: u.d(x) - k * k),
            "first": Constraint(line.face("x", 0), lambda u: u),
            "last": Constraint(line.face("x", 1), lambda u: u - 4),
        }


def test_unknowns_start_there_too():
    negative = pinnlab.solve(Rate(-1.0), tol=1e-6)
    assert negative.unknowns["k"] == pytest.approx(-2)
    assert pinnlab.solve(Rate(), tol=1e-6).unknowns["k"] == pytest.approx(2)
    assert pinnlab.solve(Rate(), tol=1e-6, start=negative).unknowns["k"] == pytest.approx(-2)
    # beyond the bounds it stays where the equation says
    assert pinnlab.solve(Rate(1.0, bounds=(0, 5)), tol=1e-6, start=negative).unknowns["k"] == pytest.approx(2)


class Pendulum(Equation):
    """θ'' = −sin θ from 2 at rest."""

    inputs, outputs = ("t",), ("u",)

    def constraints(self):
        line = Interval(t=(0, 4))
        return {
            "ode": Constraint(line, lambda t, u: u.d(t, t) + torch.sin(u)),
            "start": Constraint(line.face("t", 0), lambda t, u: (u - 2, u.d(t))),
        }


def test_with_time_the_first_window_begins_there():
    asked = []

    def values(points):
        asked.append(float(points["t"].max()))
        return 2 * torch.cos(0.8 * points["t"])[:, None].double()

    class Two(Recipe):
        def decisions(self, progress):
            for end in (1.0, 4.0):
                yield Proposal(Features(30, (8.0,)), end)
                yield Accept()
            return Stop(False, "enough")

    with default_dtype(torch.float64):
        march = March(Pendulum(), Two(), 1e-6, start=Start(values, {}))
        march.run()
        plain = March(Pendulum(), Two(), 1e-6)
        plain.run()
    assert asked and max(asked) <= 1.0
    first, other = march.way.pieces[0].main, plain.way.pieces[0].main
    t = {"t": torch.linspace(0, 1, 30, dtype=torch.float64)}
    torch.testing.assert_close(first.values(t), other.values(t), rtol=0, atol=1e-7)
    assert first.first != other.first


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (3, "start is a Solution or the folder of a run, not 3"),
        ("nowhere", "nowhere"),
        (Rate, "start is a Solution"),
    ],
)
def test_a_start_that_is_none(start, message):
    with pytest.raises(UserError, match=message):
        pinnlab.solve(Bratu(), tol=1e-6, start=start)


def test_a_start_with_other_names():
    other = pinnlab.solve(Pendulum(), tol=1e-1)
    with pytest.raises(UserError, match="Bratu has u of x, and the start u of t: take one with the same names"):
        pinnlab.solve(Bratu(), tol=1e-6, start=other)
