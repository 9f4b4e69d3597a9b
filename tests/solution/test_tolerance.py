"""`solve(equation, tol=…)`: true errors against the tolerance and the ±, honest ends, records that continue."""

import csv
import json
import math
import re
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

import pinnlab
from pinnlab.cli import main
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.errors import NothingFoundError, UserError
from pinnlab.geometry import Box, Disc, Interval, PointSet, Polygon
from pinnlab.problems import Pendulum, Poisson
from pinnlab.reporting.folder import RunFolder
from pinnlab.strategy import Accept, Features, Proposal, Recipe, Refinement, Stop
from pinnlab.training import Adam
from pinnlab.training.setup.settings import default_dtype

SMALL = Refinement(surveyed=60, first=120)


class Robin(Equation):
    """Δu = 0 in the unit disc, ∂u/∂n + u = g on the circle: u = e^x cos y."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        return {
            "inside": Constraint(Disc(), lambda x, y, u: u.d(x, x) + u.d(y, y)),
            "circle": Constraint(Disc().boundary, self.flux),
        }

    def flux(self, x, y, u, normal_x, normal_y):
        g = torch.exp(x) * (normal_x * torch.cos(y) - normal_y * torch.sin(y)) + self.exact(x, y)
        return normal_x * u.d(x) + normal_y * u.d(y) + u - g

    def exact(self, x, y):
        return torch.exp(x) * torch.cos(y)


class Lorenz(Equation):
    """Lorenz' equations from (1, 1, 1)."""

    inputs, outputs = ("t",), ("x", "y", "z")
    span, start = (0, 1.5), (1.0, 1.0, 1.0)

    def constraints(self):
        line = Interval(t=self.span)
        return {
            "ode": Constraint(line, self.residual),
            "start": Constraint(line.face("t", 0), lambda x, y, z: (x - 1, y - 1, z - 1)),
        }

    def residual(self, t, x, y, z):
        return tuple(u.d(t) - f for u, f in zip((x, y, z), self.rates(t, (x, y, z)), strict=True))

    @staticmethod
    def rates(_, state):
        x, y, z = state
        return 10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z


class VanDerPol(Equation):
    """u'' = 2 (1 − u²) u' − u from (2, 0)."""

    inputs, outputs = ("t",), ("u",)
    span, start = (0, 6), (2.0, 0.0)

    def constraints(self):
        line = Interval(t=self.span)
        return {
            "ode": Constraint(line, lambda t, u: u.d(t, t) - 2 * (1 - u * u) * u.d(t) + u),
            "start": Constraint(line.face("t", 0), lambda t, u: (u - 2, u.d(t))),
        }

    @staticmethod
    def rates(_, state):
        u, v = state
        return v, 2 * (1 - u * u) * v - u


class Heat(Equation):
    """u_t = a u_xx on a rod of length L from T sin πx/L, its ends at 0: without units where all of these are 1."""

    inputs, outputs = ("t", "x"), ("u",)

    def __init__(self, length=1.0, diffusivity=1.0, temperature=1.0):
        super().__init__()
        self.length, self.diffusivity, self.temperature = length, diffusivity, temperature

    def constraints(self):
        rod = Box(t=(0, 0.4 * self.length**2 / self.diffusivity), x=(0, self.length))
        return {
            "inside": Constraint(rod, lambda t, x, u: u.d(t) - self.diffusivity * u.d(x, x)),
            "start": Constraint(rod.face("t", 0), lambda x, u: u - self.exact(0 * x, x)),
            "ends": Constraint(rod.faces("x"), lambda u: u),
        }

    def exact(self, t, x):
        decay = torch.exp(-(math.pi**2) * self.diffusivity * t / self.length**2)
        return self.temperature * decay * torch.sin(math.pi * x / self.length)


def errors(solution, count=4000):
    """The true error and the size of each output, on points of the region that have nothing to do with the solve's."""
    equation = solution.model.equation
    if hasattr(equation, "rates"):
        t = np.linspace(*equation.span, count)
        truth = solve_ivp(
            equation.rates, equation.span, equation.start, t_eval=t, rtol=1e-13, atol=1e-13, method="DOP853"
        ).y
        where = {"t": t}
    elif isinstance(equation, Robin):
        generator = np.random.default_rng(7)
        radius, angle = np.sqrt(generator.random(count)), 2 * np.pi * generator.random(count)
        where = {"x": radius * np.cos(angle), "y": radius * np.sin(angle)}
        truth = (np.exp(where["x"]) * np.cos(where["y"]))[None]
    else:
        ends = next(iter(equation.constraints().values())).region.extent
        axes = np.meshgrid(*(np.linspace(float(low), float(high), 70) for low, high in ends.values()))
        where = dict(zip(ends, axes, strict=True))
        truth = equation.exact(*(torch.from_numpy(where[name]) for name in equation.inputs)).numpy()[None]
    found = solution(**where)
    found = found if isinstance(found, dict) else {equation.outputs[0]: found}
    return {
        name: (float(np.abs(found[name] - true).max()), float(np.abs(true).max()))
        for name, true in zip(equation.outputs, truth, strict=False)
    }


PROBLEMS = {
    "Robin": (Robin, 1e-6, SMALL),
    "Poisson": (lambda: Poisson(modes=(1, 2)), 1e-6, SMALL),
    "Lorenz": (Lorenz, 1e-6, None),
    "Van der Pol": (VanDerPol, 1e-7, None),
    "heat": (Heat, 1e-4, Refinement(surveyed=40, first=80)),
    "Poisson, loosely": (lambda: Poisson(modes=(1, 2)), 1e-2, SMALL),
    "Van der Pol, loosely": (VanDerPol, 1e-3, None),
}


@pytest.fixture(scope="module")
def solved():
    """The solution of each problem, found when it is asked for."""
    found = {}

    def of(name):
        if name not in found:
            equation, tol, recipe = PROBLEMS[name]
            with default_dtype(torch.float64):
                found[name] = pinnlab.solve(equation(), tol=tol, recipe=recipe)
        return found[name]

    return of


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_tolerance_is_met_in_truth(solved, name):
    solution, tol = solved(name), PROBLEMS[name][1]
    assert solution.ending.reached and solution.ending.reason == "" and solution.findings == []
    assert solution.ending.until is None
    assert solution.ending.tol == tol and 0 <= solution.ending.error <= tol
    for output, (error, size) in errors(solution).items():
        estimate = solution.metrics[f"uncertainty_{output}"]
        print(f"{name}, {output}: true error {error:.1e}, ± {estimate:.1e}, {tol * size:.1e} allowed")
        assert error <= 10 * tol * size
        assert error <= 3 * estimate + 1e-13 * size
        assert estimate <= 1.1 * tol * size


@pytest.mark.parametrize("name", ["Lorenz", "Van der Pol"])
def test_the_windows_are_one_function(solved, name):
    """At the end of every window values and derivatives agree with those of the next one, and end in the record."""
    solution = solved(name)
    assert solution.ending.windows > 1
    ends = solution.model.residuals.network.ends
    assert len(ends) == solution.ending.windows - 1
    rows = {float(end) for end in solution.history["solve/end"]}
    assert set(ends) <= rows
    accepted = solution.history["solve/accepted"] == 1
    assert accepted.sum() >= solution.ending.windows and not accepted.all()
    np.testing.assert_array_equal(solution.history["solve/begin"][accepted][-len(ends) :], ends)
    inputs = {"t": np.array(ends)}, {"t": np.nextafter(ends, np.inf)}
    for order in range(2 if name == "Van der Pol" else 1):
        left, right = (solution.d(*"t" * order, **where) for where in inputs)
        for a, b in zip(*(list(f.values()) if isinstance(f, dict) else [f] for f in (left, right)), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 * np.abs(a).max())
            assert not np.array_equal(a, b)


def test_the_record_of_a_solve(solved):
    solution = solved("Poisson")
    history = solution.history
    solve = ("error", "features", "begin", "end", "accepted")
    assert set(history) == {"step", "phase", "seconds", "loss", *(f"solve/{name}" for name in solve)}
    assert history["solve/accepted"][-1] == 1 and np.isnan(history["solve/begin"]).all()
    assert history["solve/error"][-1] == solution.ending.error
    assert (np.diff(history["seconds"]) > 0).all() and history["seconds"][-1] <= solution.ending.seconds
    assert history["solve/features"][-1] == solution.ending.features
    assert solution.ending.points > solution.ending.features
    worst, size = errors(solution)["u"]
    assert solution.metrics["max_error"] == pytest.approx(worst, rel=0.5, abs=1e-13 * size)
    assert math.isnan(history["solve/end"][-1])


def test_a_line_says_how_a_solve_ended(solved):
    line = repr(solved("Poisson"))
    estimate = solved("Poisson").metrics["uncertainty_u"]
    assert line.startswith(f"Poisson: u ± {estimate:.0e}, relative error ")
    assert ", tol 1e-06 reached, " in line
    assert re.search(r", \d+ features, \d+ points, \d+\.\d s$", line) and "\n" not in line
    line = repr(solved("Lorenz"))
    assert re.match(
        r"Lorenz: x ± \d\.?\d*e-\d+, y ± \S+, z ± \S+, relative error \S+, tol 1e-06 reached, \d+ windows, ", line
    )


def test_the_same_arguments_give_the_same_numbers_and_leave_the_random_numbers_alone(solved):
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    again = pinnlab.solve(Poisson(modes=(1, 2)), tol=1e-6, recipe=SMALL)
    assert torch.equal(torch.random.get_rng_state(), before)
    x, y = np.random.default_rng(0).random((2, 50))
    np.testing.assert_array_equal(again(x=x, y=y), solved("Poisson")(x=x, y=y))
    other = pinnlab.solve(Poisson(modes=(1, 2)), tol=1e-6, recipe=SMALL, seed=1)
    assert not np.array_equal(other(x=x, y=y), again(x=x, y=y))
    np.testing.assert_allclose(other(x=x, y=y), again(x=x, y=y), rtol=0, atol=2e-6)


# honest ends


class OneWallMissing(Equation):
    """Poisson's equation with nothing said of the wall x = 1: it has many solutions."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        square = Box(x=(0, 1), y=(0, 1))
        return {
            "inside": Constraint(square, lambda x, y, u: u.d(x, x) + u.d(y, y) + 1),
            "left": Constraint(square.face("x", 0), lambda u: u),
            "others": Constraint(square.faces("y"), lambda u: u),
        }


class LShape(Equation):
    """−Δu = 1 in an L, 0 on its boundary: the gradient is unbounded at the inner corner."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        shape = Polygon([(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)])
        return {
            "inside": Constraint(shape, lambda x, y, u: u.d(x, x) + u.d(y, y) + 1),
            "walls": Constraint(shape.boundary, lambda u: u),
        }


def place(reason):
    """The point that a reason names."""
    return {name: float(value) for name, value in re.findall(r"(\w+) = (-?[\d.]+(?:e-?\d+)?)", reason)}


@pytest.mark.parametrize(
    ("equation", "tol", "inside"),
    [(OneWallMissing, 1e-6, lambda x, y: 0.5 < x <= 1 and 0 <= y <= 1), (LShape, 1e-10, lambda x, y: x <= 0 or y >= 0)],
)
def test_what_is_not_resolved_is_not_reached_and_says_where(equation, tol, inside):
    solution = pinnlab.solve(equation(), tol=tol, recipe=Refinement(surveyed=100, first=200, most=400))
    ending = solution.ending
    assert not ending.reached and ending.error > 100 * tol
    assert solution.findings == [f"the tolerance was not reached: {ending.reason}"]
    assert f"not reached: {ending.reason}" in repr(solution)
    where = place(ending.reason)
    assert where.keys() == {"x", "y"} and inside(**where)


class BlowUp(Equation):
    """u' = u² from 1, of which the solution 1/(1 − t) ends at t = 1."""

    inputs, outputs = ("t",), ("u",)

    def constraints(self):
        line = Interval(t=(0, 2))
        return {
            "ode": Constraint(line, lambda t, u: u.d(t) - u * u),
            "start": Constraint(line.face("t", 0), lambda u: u - 1),
        }


@pytest.mark.long
def test_a_solution_that_ends_is_not_reached_there():
    """Until shortly before its end the solution is right."""
    solution = pinnlab.solve(BlowUp(), tol=1e-6)
    assert not solution.ending.reached and math.isinf(solution.ending.error)
    assert max(solution.model.residuals.network.ends) == pytest.approx(1, abs=1e-2)
    t = np.linspace(0, 0.9, 50)
    np.testing.assert_allclose(solution(t=t), 1 / (1 - t), rtol=1e-4)


@pytest.mark.long
def test_a_solution_that_ends_says_where_before_long():
    ending = pinnlab.solve(BlowUp(), tol=1e-6, time_limit=30).ending
    assert ending.reason != "the time limit"
    assert place(ending.reason)["t"] == pytest.approx(1, abs=1e-2)


def test_a_time_limit_ends_a_solve_with_what_was_found():
    long = type("Long", (Lorenz,), {"span": (0, 100)})
    solution = pinnlab.solve(long(), tol=1e-6, time_limit=1.5)
    assert not solution.ending.reached and solution.ending.reason == "the time limit"
    assert 1.5 <= solution.ending.seconds < 15
    assert math.isinf(solution.ending.error), "part of the time has no solution at all"
    assert 0 <= place(solution.ending.place)["t"] <= 100
    assert f"not reached: the time limit, largest error at {solution.ending.place}" in str(solution)
    with pytest.raises(UserError, match="no solution was found: the time limit"):
        pinnlab.solve(Lorenz(), tol=1e-6, time_limit=1e-9)


class Half(Recipe):
    """One window, and no more."""

    def decisions(self, progress):
        yield Proposal(Features(40, (14.0,)), 0.5)
        yield Accept()
        return Stop(False, "enough")


def test_a_solve_that_does_not_come_to_the_end_is_loaded_as_it_was(tmp_path):
    solution = pinnlab.solve(Lorenz(), tol=1e-3, recipe=Half(), folder=tmp_path / "run")
    loaded = pinnlab.load(tmp_path / "run", equation=Lorenz())
    assert math.isinf(solution.ending.error) and loaded.ending == solution.ending
    assert repr(loaded) == repr(solution) and "x ± inf" in repr(loaded)
    assert solution.ending.until == 0.5 and "not reached: enough, found up to 0.5, " in repr(solution)
    drawn = [line.get_xdata() for axes in loaded.plot().axes for line in axes.lines]
    assert len(drawn) == 3 and all(t[0] == 0 and t[-1] == 0.5 for t in drawn), (
        "nothing is drawn where nothing was found"
    )


class Interrupted(Recipe):
    """Ctrl-C after so many decisions."""

    def __init__(self, after):
        self.after = after

    def decisions(self, progress):
        steps = [Proposal(Features(40, (14.0,)), 0.5), Accept(), Proposal(Features(40, (14.0,)), 1.5), Accept()]
        for step in steps[: self.after]:  # noqa: UP028 — a list takes no answers
            yield step
        if self.after < 4:
            raise KeyboardInterrupt
        return Stop(True)


def test_after_ctrl_c_the_exception_has_the_solution(tmp_path):
    with pytest.raises(KeyboardInterrupt) as raised:
        pinnlab.solve(Lorenz(), tol=1e-3, recipe=Interrupted(2), folder=tmp_path / "run")
    solution = raised.value.solution
    assert solution.ending.reason == "Ctrl-C" and not solution.ending.reached
    whole = pinnlab.solve(Lorenz(), tol=1e-3, recipe=Interrupted(4))
    t = np.linspace(0, 0.5, 20)
    for name, values in solution(t=t).items():
        np.testing.assert_array_equal(values, whole(t=t)[name])
    assert not (tmp_path / "run" / "summary.json").exists()
    again = pinnlab.solve(Lorenz(), tol=1e-3, recipe=Interrupted(4), folder=tmp_path / "run")
    t = np.linspace(0, 1.5, 20)
    for name, values in again(t=t).items():
        np.testing.assert_array_equal(values, whole(t=t)[name])


def test_at_a_prompt_ctrl_c_returns_what_was_found(monkeypatch, caplog):
    monkeypatch.setattr("sys.ps1", ">>> ", raising=False)
    solution = pinnlab.solve(Lorenz(), tol=1e-3, recipe=Interrupted(2))
    assert solution.ending.reason == "Ctrl-C" and solution.ending.until == 0.5
    assert "pinnlab: interrupted after attempt 1: this is what was found" in caplog.text


def test_ctrl_c_before_any_solution_is_ctrl_c():
    with pytest.raises(KeyboardInterrupt):
        pinnlab.solve(Lorenz(), tol=1e-3, recipe=Interrupted(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tol": 2}, "tol lies between 0 and 1, as 1e-6, not 2"),
        ({"tol": 0}, "not 0"),
        ({"tol": -1e-6}, "not -1e-06"),
        ({"tol": math.nan}, "not nan"),
        ({"tol": "1e-6"}, "not '1e-6'"),
        ({"tol": 1e-6, "phases": Adam(3)}, "tol is for a solve to a tolerance, which chooses phases itself"),
        ({"tol": 1e-6, "points": {"interior": 9}}, "chooses points itself"),
        ({"tol": 1e-6, "hard": True}, "chooses hard itself"),
        ({"tol": 1e-6, "accelerator": "cpu"}, "chooses accelerator itself"),
        ({"tol": 1e-6, "time_limit": 0}, "time_limit is a number of seconds, not 0"),
        ({"tol": 1e-6, "time_limit": "1 h"}, "time_limit is a number of seconds, not '1 h'"),
        ({"tol": 1e-6, "recipe": Refinement}, "recipe is a Recipe, as .*, not <class"),
        ({"tol": 1e-6, "seed": 0.5}, "seed must be a whole number, not 0.5"),
        ({"seed": -1}, "seed: a seed lies between 0 and 4294967295, not -1"),
        ({"seed": -1, "phases": Adam(3)}, "seed: a seed lies between 0"),
        ({"recipe": SMALL, "resample_every": 2}, "recipe is for a solve to a tolerance, which chooses resample_every"),
        ({"time_limit": 5, "max_time": "00:01"}, "time_limit is for a solve to a tolerance, which chooses max_time"),
        ({"time_limit": 0}, "time_limit is a number of seconds, not 0"),
    ],
)
def test_options_that_make_no_sense_are_a_line(options, message):
    with pytest.raises(UserError, match=message) as raised:
        pinnlab.solve(Poisson(), **options)
    assert "\n" not in str(raised.value)


# units


def test_units_make_no_difference(solved):
    """A rod in SI units takes the decisions of the one without units, and is as right."""
    plain = solved("heat")
    rod = Heat(length=0.1, diffusivity=1.2e-5, temperature=600.0)
    solution = pinnlab.solve(rod, tol=1e-4, recipe=PROBLEMS["heat"][2])
    assert solution.ending.reached and solution.ending.windows == plain.ending.windows
    np.testing.assert_array_equal(solution.history["solve/features"], plain.history["solve/features"])
    ends = solution.history["solve/end"] * rod.diffusivity / rod.length**2
    np.testing.assert_allclose(ends, plain.history["solve/end"], rtol=1e-4)
    assert solution.ending.error == pytest.approx(plain.ending.error, rel=0.5)
    (error, size), (plain_error, plain_size) = errors(solution)["u"], errors(plain)["u"]
    assert error / size < 1e-4 and plain_error / plain_size < 1e-4
    assert solution.metrics["uncertainty_u"] == pytest.approx(600 * plain.metrics["uncertainty_u"], rel=0.5)


# unknowns


class Decay(Equation):
    """u' = −k u from 1 with 40 measurements: k is sought, and is 1.3."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self, noise, seed=1):
        super().__init__()
        self.k = Unknown(0.5, truth=1.3)
        t = np.linspace(0, 2, 40)
        self.data = PointSet(t=t, m=np.exp(-1.3 * t) + noise * np.random.default_rng(seed).standard_normal(40))

    def constraints(self):
        line = Interval(t=(0, 2))
        return {
            "ode": Constraint(line, lambda t, u, k: u.d(t) + k * u),
            "start": Constraint(line.face("t", 0), lambda u: u - 1),
            "data": Constraint(self.data, lambda u, m: u - m),
        }

    def exact(self, t):
        return torch.exp(-1.3 * t)


def test_an_unknown_is_found_to_the_tolerance():
    torch.set_default_dtype(torch.float32)  # as in a script; an unknown made then has seven digits at first
    equation = Decay(0.0)
    assert equation.k.value.dtype == torch.float32
    solution = pinnlab.solve(equation, tol=1e-9)
    assert solution.ending.reached
    assert abs(solution.unknowns["k"] - 1.3) <= max(3 * solution.metrics["uncertainty_k"], 1e-12)
    assert abs(solution.unknowns["k"] - 1.3) < 1e-8 and solution.metrics["error_k"] < 1e-8
    assert float(equation.k.value.detach()) == solution.unknowns["k"]
    assert re.match(r"Decay: k = 1\.(3|29999)\d* ± \de-\d+, u ± ", repr(solution))


@pytest.mark.parametrize("noise", [1e-4, 1e-2, 5e-2])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_ends_a_solve_and_is_in_the_error(noise, seed):
    """k is that of the least squares of e^{−kt}, which no other estimate beats, and the ± its standard deviation."""
    equation = Decay(noise, seed)
    solution = pinnlab.solve(equation, tol=1e-9)
    assert not solution.ending.reached and solution.ending.reason == "noise in the measurements"
    t, m = (equation.data.columns[name].numpy() for name in "tm")
    best = least_squares(lambda k: np.exp(-k * t) - m, 1.0, xtol=1e-15, ftol=1e-15, gtol=1e-15).x[0]
    deviation = noise / math.sqrt(float(np.sum((t * np.exp(-1.3 * t)) ** 2)))
    assert abs(solution.unknowns["k"] - best) < 0.05 * deviation
    # the noise of forty numbers is known to a tenth or two
    assert solution.metrics["uncertainty_k"] == pytest.approx(deviation, rel=0.5)
    assert solution.metrics["error_k"] <= solution.metrics["uncertainty_k"]
    assert solution.metrics["max_error"] <= solution.metrics["uncertainty_u"]
    # and the equation holds, whatever the measurements say
    where = np.linspace(0, 2, 200)
    residual = solution.d("t", t=where) + solution.unknowns["k"] * solution(t=where)
    assert np.abs(residual).max() < noise


def test_unknowns_have_a_tolerance_of_their_own(tmp_path):
    """With noise that allows k three digits: 1e-2 is enough for k, and u is as exact as the equation."""
    alike = pinnlab.solve(Decay(1e-3), tol=1e-2)
    assert alike.ending.reached and alike.ending.tol_unknowns is None
    short = pinnlab.solve(Decay(1e-3), tol=1e-2, tol_unknowns=1e-5, folder=tmp_path / "run")
    assert not short.ending.reached and short.ending.reason == "noise in the measurements"
    assert short.ending.error < 1e-2 and 1e-5 < short.ending.error_unknowns < 1e-2
    assert short.metrics["uncertainty_k"] == pytest.approx(short.ending.error_unknowns * short.unknowns["k"])
    assert re.search(
        r"relative error \de-\d+ \(unknowns \de-\d+\), tol 1e-02 \(unknowns 1e-05\) not reached", repr(short)
    )
    loaded = pinnlab.load(tmp_path / "run", equation=Decay(1e-3))
    assert loaded.ending == short.ending
    # what the recipe and the record see is in units of the tolerance
    assert short.history["solve/error"][-1] == pytest.approx(short.ending.error_unknowns * 1e-2 / 1e-5)


class End(Equation):
    """u' = 3 cos 3t from 0: k = u(1) = sin 3 is sought."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self):
        super().__init__()
        self.k = Unknown(1.0)

    def constraints(self):
        line = Interval(t=(0, 1))
        return {
            "ode": Constraint(line, lambda t, u: u.d(t) - 3 * torch.cos(3 * t)),
            "start": Constraint(line.face("t", 0), lambda u: u),
            "k": Constraint(line.face("t", 1), lambda u, k: u - k),
        }


@pytest.mark.parametrize(("tol", "own"), [(1e-3, 1e-9), (1e-9, 1e-3)])
def test_each_is_held_to_its_own_tolerance(tol, own):
    solution = pinnlab.solve(End(), tol=tol, tol_unknowns=own)
    assert solution.ending.reached and solution.ending.error <= tol and solution.ending.error_unknowns <= own
    assert abs(solution.unknowns["k"] - math.sin(3)) <= 3 * own * math.sin(3)


@pytest.mark.parametrize(
    ("equation", "options", "message"),
    [
        (Decay(1e-3), {"tol_unknowns": 3}, "tol_unknowns lies between 0 and 1, as 1e-3, not 3"),
        (Lorenz(), {"tol_unknowns": 1e-3}, "Lorenz has no unknowns: leave out tol_unknowns"),
    ],
)
def test_a_tolerance_of_unknowns_that_is_none(equation, options, message):
    with pytest.raises(UserError, match=message):
        pinnlab.solve(equation, tol=1e-6, **options)


def test_a_second_solve_starts_as_the_first_did():
    equation = Decay(1e-2)
    first = pinnlab.solve(equation, tol=1e-6)
    assert float(equation.k.value.detach()) != 0.5
    second = pinnlab.solve(equation, tol=1e-6)
    assert first.unknowns == second.unknowns
    equation.k.parameter.data.fill_(7.0)
    assert first.unknowns["k"] != 7.0, "the solution has an equation of its own"


# folders

MODULE = """
import torch
from pinnlab.equations import Constraint, Equation
from pinnlab.geometry import Interval


class Pendulum(Equation):
    inputs, outputs = ("t",), ("angle",)

    def __init__(self, angle=2.0, time=6.0):
        super().__init__()
        self.angle, self.time = angle, time

    def constraints(self):
        line = Interval(t=(0, self.time))
        return {
            "ode": Constraint(line, lambda t, angle: angle.d(t, t) + torch.sin(angle)),
            "start": Constraint(line.face("t", 0), lambda t, angle: (angle - self.angle, angle.d(t))),
        }
"""


@pytest.fixture
def pendulum(tmp_path, monkeypatch):
    """A module of the user's own, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pendulum_of_tolerance.py").write_text(MODULE)
    import pendulum_of_tolerance

    yield pendulum_of_tolerance
    del sys.modules["pendulum_of_tolerance"]


def test_a_folder_holds_the_solution_and_its_record(pendulum, capsys):
    solution = pinnlab.solve(pendulum.Pendulum(), tol=1e-8, folder="run")
    assert solution.ending.windows > 1
    names = {"config.yaml", "metrics.csv", "summary.json", "solution.npz", "decisions.jsonl", "checkpoints", "source"}
    assert names <= {path.name for path in Path("run").iterdir()}
    assert Path("run/checkpoints/last.ckpt").exists() and Path("run/source/pendulum_of_tolerance.py").exists()
    summary = json.loads(Path("run/summary.json").read_text())
    assert summary["tolerance"] == vars(solution.ending) and summary["status"] == "finished"
    rows = RunFolder(Path("run")).read_rows()
    np.testing.assert_array_equal(rows["solve/error"], solution.history["solve/error"])

    again = pinnlab.load("run")
    t = np.linspace(0, 6, 101)
    np.testing.assert_array_equal(again(t=t), solution(t=t))
    np.testing.assert_array_equal(again.d("t", "t", t=t), solution.d("t", "t", t=t))
    assert again.metrics["uncertainty_angle"] == solution.metrics["uncertainty_angle"]

    with pytest.raises(UserError, match=r"the solve in run has ended: read it with pinnlab\.load, or choose another"):
        pinnlab.solve(pendulum.Pendulum(), tol=1e-8, folder="run")
    assert main(["predict", "run", "--grid", "t=0:6:7", "--derivatives", "angle_t"]) == 0
    with np.load("run/prediction.npz") as arrays:
        np.testing.assert_array_equal(arrays["angle_t"], solution.d("t", t=arrays["t"]))
    assert main(["figures", "run", "--formats", "png"]) == 0
    assert {"history.png", "solution.png"} <= {path.name for path in Path("run/figures").iterdir()}
    capsys.readouterr()
    other = pinnlab.solve(pendulum.Pendulum(), tol=1e-4, folder="loose")
    assert main(["compare", "run", "loose", "--csv", "table.csv"]) == 0
    assert "loose" in capsys.readouterr().out
    with Path("table.csv").open() as file:
        table = {row["run"]: row for row in csv.DictReader(file)}
    assert table.keys() == {"run", "loose"} and all(row["status"] == "finished" for row in table.values())
    assert float(table["loose"]["seconds"]) == other.ending.seconds


@pytest.mark.slow
def test_the_program_of_a_solve_is_the_solution(pendulum):
    solution = pinnlab.solve(pendulum.Pendulum(), tol=1e-6, folder="run")
    assert main(["export", "run"]) == 0
    t = torch.linspace(0, 6, 50)
    values = torch.export.load("run/solution.pt2").module()(t[:, None])
    np.testing.assert_allclose(values["angle"].numpy(), solution(t=t.numpy()), rtol=0, atol=1e-12)


def part_of(equation, **options):
    """What the least time finds; a busy machine finds nothing in the shortest ones."""
    for limit in (0.05, 0.1, 0.2, 0.4, 0.8):
        with suppress(NothingFoundError):
            return pinnlab.solve(equation, **options, time_limit=limit)
    raise AssertionError("nothing was found")


def test_an_error_before_the_first_step_leaves_no_folder(tmp_path):
    wrong = type("Wrong", (Lorenz,), {"residual": lambda self, t, x, y, z: 1 / 0})
    with pytest.raises(ZeroDivisionError):
        pinnlab.solve(wrong(), tol=1e-6, folder=tmp_path / "run")
    with pytest.raises(NothingFoundError):
        pinnlab.solve(Lorenz(), tol=1e-6, folder=tmp_path / "run", time_limit=1e-9)
    assert not (tmp_path / "run").exists()


def test_a_solve_that_the_time_limit_ended_goes_on_bit_for_bit(pendulum):
    whole = pinnlab.solve(pendulum.Pendulum(), tol=1e-8)
    part = part_of(pendulum.Pendulum(), tol=1e-8, folder="run")
    assert part.ending.reason == "the time limit" and not Path("run/summary.json").exists()
    lines = len(Path("run/decisions.jsonl").read_text().splitlines())
    assert lines >= 1
    solution = pinnlab.solve(pendulum.Pendulum(), tol=1e-8, folder="run")
    t = np.linspace(0, 6, 101)
    np.testing.assert_array_equal(solution(t=t), whole(t=t))
    for column in ("loss", "solve/error", "solve/features", "solve/end"):
        np.testing.assert_array_equal(solution.history[column], whole.history[column])
    for name, value in vars(whole.ending).items():
        assert name == "seconds" or getattr(solution.ending, name) == value
    assert len(Path("run/decisions.jsonl").read_text().splitlines()) > lines


def test_a_folder_of_another_solve_is_refused(pendulum, tmp_path):
    part_of(pendulum.Pendulum(), tol=1e-8, folder="run")
    journal = Path("run/decisions.jsonl").read_text()
    for equation, tol, seed, message in (
        (pendulum.Pendulum(), 1e-7, 0, "was begun with tol 1e-08, not 1e-07"),
        (pendulum.Pendulum(), 1e-8, 3, "was begun with seed 0, not 3"),
        (pendulum.Pendulum(angle=1.0), 1e-8, 0, "was begun with equation"),
        (Lorenz(), 1e-8, 0, "was begun with equation"),
    ):
        with pytest.raises(UserError, match=message) as raised:
            pinnlab.solve(equation, tol=tol, seed=seed, folder="run")
        assert "\n" not in str(raised.value)
    with RunFolder(Path("run")).locked(), pytest.raises(UserError, match="another process is writing"):
        pinnlab.solve(pendulum.Pendulum(), tol=1e-8, folder="run")
    assert Path("run/decisions.jsonl").read_text() == journal
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="exists"):
        pinnlab.solve(pendulum.Pendulum(), tol=1e-8, folder="other")
    assert pinnlab.solve(pendulum.Pendulum(), tol=1e-8, folder="run").ending.reached


def test_progress_is_a_line_for_each_step(pendulum, capsys):
    solution = pinnlab.solve(pendulum.Pendulum(), tol=1e-8, progress=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(solution.history["step"])
    pattern = r" +\d+\.\d s  t from [\d.]+ to [\d.]+, 40 features: error \d\.\de[-+]\d+ \(tol 1e-08\)"
    assert all(re.fullmatch(pattern, line) for line in lines)
    pinnlab.solve(pendulum.Pendulum(), tol=1e-8)
    assert capsys.readouterr().out == ""


class FirstWindow(Recipe):
    """One window, and no more."""

    def decisions(self, progress):
        yield Proposal(Features(60, (14.0,)), 0.25)
        yield Accept()
        return Stop(False, "enough")


def test_true_errors_are_those_of_what_was_found():
    solution = pinnlab.solve(Pendulum(), tol=1e-8, recipe=FirstWindow())
    assert solution.ending is not None and solution.ending.until == 0.25
    assert solution.metrics["relative_l2"] < 1e-6 and solution.metrics["max_error"] < 1e-4
