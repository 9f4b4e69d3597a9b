"""The table of the tolerance benchmark: what is judged, on made-up rows, and that its scripts go on where they were."""

import doctest
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import pinnlab
from experiments.tolerance import PROBLEMS, Problem, accuracy, rows, summary, verdict
from experiments.tolerance.__main__ import COLUMNS, KEY, found
from experiments.tolerance.rows import Table
from experiments.tolerance.verdict import beyond, claims_too_much, says_where, within
from pinnlab.equations import Constraint, Equation, Unknown
from pinnlab.geometry import Interval, PointSet

ROOT = Path(__file__).parents[2]
LORENZ, VISCOSITY = PROBLEMS["Lorenz"], PROBLEMS["Burgers' viscosity"]
NOISY, ALLEN_CAHN = PROBLEMS["Burgers' viscosity, noisy"], PROBLEMS["Allen-Cahn"]
CORNER, SHOCK = PROBLEMS["L-shape"], PROBLEMS["Burgers' shock"]


def made(problem, seed=0, **numbers):
    """A row that keeps all bounds and claims nothing false, but for the numbers that are given."""
    row = dict.fromkeys(COLUMNS, "") | {"problem": problem.name, "seed": str(seed), "tol": str(problem.tol or 1e-6)}
    row |= {"error": "1e-9", "l2": "1e-9", "estimate": "1e-8", "seconds": "5", "MiB": "400", "status": "reached"}
    row |= {"unknown": "1e-9", "estimate of unknown": "1e-9"} if problem.unknowns else {}
    return row | {name.replace("_", " "): str(value) for name, value in numbers.items()}


@pytest.mark.parametrize("module", [rows, verdict])
def test_examples_of_docstrings_run(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_a_row_that_keeps_all_bounds_is_within_them(problem):
    assert beyond(problem, made(problem)) == []


@pytest.mark.parametrize(
    ("problem", "column", "bound"),
    [
        (LORENZ, "error", 1e-7),
        (LORENZ, "seconds", 60),
        (ALLEN_CAHN, "l2", 1e-3),
        (VISCOSITY, "unknown", 1e-6),
        (NOISY, "error", 1e-2),
    ],
)
def test_each_bound_is_kept_up_to_itself_and_a_number_that_lacks_keeps_none(problem, column, bound):
    assert beyond(problem, made(problem) | {column: str(bound)}) == []
    for value in (str(1.01 * bound), "inf", "nan", ""):
        (one,) = beyond(problem, made(problem) | {column: value})
        assert one.startswith(column)


def test_an_error_without_a_bound_is_not_judged():
    assert beyond(LORENZ, made(LORENZ, l2=1.0)) == []


@pytest.mark.parametrize(("estimate", "kept"), [(1e-3, True), (2.9e-3, True), (3.1e-3, False), (3.2e-4, False)])
def test_the_plus_minus_of_a_noisy_unknown_is_its_error_within_a_factor_of_three(estimate, kept):
    lacking = beyond(NOISY, made(NOISY, unknown=1e-3, estimate_of_unknown=estimate))
    assert lacking == ([] if kept else [f"estimate of unknown {estimate / 1e-3:.3g} times its error"])


def test_the_noisy_unknown_has_half_a_percent():
    row = made(NOISY, unknown=5.1e-3, estimate_of_unknown=5.1e-3)
    assert beyond(NOISY, row) == ["unknown 0.0051 > 0.005"]


@pytest.mark.parametrize(
    ("numbers", "false"),
    [
        ({"error": 9.9e-6}, False),
        ({"error": 1.1e-5}, True),
        ({"error": "nan"}, True),
        ({"unknown": 1.1e-5}, True),
        ({"error": 1.0, "status": "the time limit"}, False),
    ],
)
def test_what_is_called_reached_is_within_ten_times_the_tolerance(numbers, false):
    assert claims_too_much(made(VISCOSITY, **numbers)) is false


@pytest.mark.parametrize(
    ("problem", "status", "says"),
    [
        (CORNER, "1600 features do not resolve the solution at x = 0.00101, y = -2e-05", True),
        (SHOCK, "the time limit, found up to 0.31", True),
        (SHOCK, "windows shorter than any step of the solution near t = 0.318", True),
        (SHOCK, "the time limit", False),
        (CORNER, "memory: 3200 features need 4.1 GiB", False),
        (CORNER, "the error at t = 0.1", False),
        (CORNER, "reached", False),
    ],
)
def test_a_refusal_says_where(problem, status, says):
    assert says_where(problem, {"status": status}) is says


def test_a_problem_counts_if_every_seed_that_was_run_is_within_its_bounds():
    table = [made(LORENZ), made(LORENZ, seed=1), made(VISCOSITY), made(VISCOSITY, seed=1, unknown=1e-3)]
    assert within(PROBLEMS, table) == ["Lorenz"]
    problems = {problem.name: problem for problem in (LORENZ, VISCOSITY, NOISY)}
    assert summary.counts(problems, table) == [
        "Within their bounds in every seed that was run: 1 of 3. Beyond: Burgers' viscosity. "
        "Not run yet: Burgers' viscosity, noisy.",
        "Further seeds: 1 of 2 rows within their bounds. Of: Lorenz; Burgers' viscosity.",
        "Called reached with a true error of more than ten times tol: 1. They are: Burgers' viscosity (seed 1).",
    ]


def test_the_table_shows_the_worst_of_all_seeds_and_the_training_beside():
    table = [made(LORENZ), made(LORENZ, seed=1, error=2e-7, status="the time limit", seconds=61)]
    *_, line = summary.table({"Lorenz": LORENZ}, table, [made(LORENZ, error=0.5)])
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert dict(zip(summary.HEAD, cells, strict=True)) == {
        "problem": "Lorenz", "tol": "1e-08", "bound": "1e-07", "true error": "2.0e-07", "estimate": "1.0e-08",
        "status": "the time limit (seed 1)", "seconds": "5", "allowed": "60", "MiB": "400",
        "Adam and L-BFGS": "5.0e-01", "beyond its bounds": "error 2e-07 > 1e-07, seconds 61 > 60",
    }  # fmt: skip


def test_refusals_are_told():
    problems, row = {"L-shape": CORNER, "Burgers' shock": SHOCK}, made(CORNER, status="corner at x = 0, y = 0")
    assert summary.refusals(problems, [row]) == [
        "L-shape: not reached, and says where.",
        "Burgers' shock: not run yet.",
    ]
    assert summary.refusals(problems, [row | {"status": "noise"}])[0] == "L-shape: does NOT say where."


class Decay(Equation):
    """u' = −ku with k from 40 measurements."""

    inputs, outputs = ("t",), ("u",)

    def __init__(self):
        super().__init__()
        self.k = Unknown(1.0)

    def constraints(self):
        t = torch.linspace(0, 2, 40, dtype=torch.float64)
        return {
            "law": Constraint(Interval(t=(0, 2)), lambda t, u, k: u.d(t) + k * u),
            "data": Constraint(PointSet(t=t, seen=torch.exp(-0.7 * t)), lambda u, seen: u - seen),
        }


def decay(factor):
    """A problem whose truth is that of `Decay` times a factor, for the function and for k."""

    def truth(points):
        return {"u": factor * np.exp(-0.7 * points["t"])}

    times = {"t": np.linspace(0, 2, 101)}
    return Problem("decay", "", Decay, lambda: times, 1e-8, 1e-7, 60, unknowns={"k": factor * 0.7}, other_truth=truth)


def test_a_row_has_the_true_errors_of_outputs_and_unknown_and_what_the_solve_says_of_them(tmp_path):
    solution = pinnlab.solve(Decay(), tol=1e-8)
    row = found(decay(1.0), solution)
    assert set(row) < set(COLUMNS) and row["status"] == "reached"
    assert float(row["error"]) < 1e-7 and float(row["unknown"]) < 1e-7
    margin = solution.metrics["uncertainty_k"] / 0.7
    assert float(row["estimate of unknown"]) == pytest.approx(margin, rel=1e-2)
    other = found(decay(2.0), solution)
    assert [float(other[name]) for name in ("error", "l2", "unknown")] == pytest.approx([0.5] * 3, rel=1e-2)
    assert solution.ending is not None
    solution.ending = replace(solution.ending, reached=False, reason="the time limit", until=0.25)
    assert found(decay(1.0), solution)["status"] == "the time limit, found up to 0.25"


SCRIPT = """
import json, pathlib, sys
with open("runs.txt", "a") as file:
    print(sys.argv[1], file=file)
if sys.argv[1] == "broken":
    raise SystemExit(1)
print("a line before")
print(json.dumps({"problem": sys.argv[1], "seed": "0", "error": "1e-3"}))
"""


def test_a_table_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("script.py").write_text(SCRIPT)
    Path("table.csv").write_text('problem,seed\n"first, with a comma",0\n')
    table = Table(Path("table.csv"), ("problem", "seed", "error"), ("problem", "seed"))
    for name in ("first, with a comma", "second"):
        table.measure("script", (name, 0), [name])
    with pytest.raises(SystemExit, match="broken, 0: python -m script failed"):
        table.measure("script", ("broken", 0), ["broken"])
    assert Path("runs.txt").read_text().split() == ["second", "broken"]
    assert table.rows() == [
        {"problem": "first, with a comma", "seed": "0", "error": ""},
        {"problem": "second", "seed": "0", "error": "1e-3"},
    ]
    assert table.find("second", 0)["error"] == "1e-3" and table.find("second", 1) is None


def timed(*seconds, status="reached"):
    """Rows of a problem with these seconds."""
    pairs = zip(accuracy.TOLERANCES, seconds, strict=False)
    return [{"problem": "heat", "tol": str(tol), "seconds": str(each), "status": status} for tol, each in pairs]


def test_seconds_are_monotone_or_by_how_much_they_are_not():
    assert accuracy.fall(timed(1, 1, 2)) == 0
    assert accuracy.fall(timed(2, 1.5, 3)) == pytest.approx(0.25)
    assert accuracy.in_words("heat", timed(1, 2, 3)) == "heat: 1 s for 1e-03, 2 s for 1e-06, 3 s for 1e-09: monotone"
    assert accuracy.in_words("heat", timed(1, 2, 1.98)).endswith(": monotone but for 1.0 %")
    assert accuracy.in_words("heat", timed(1, 2, 1)).endswith(": NOT monotone: 50 % less")
    assert accuracy.in_words("heat", timed(1, 2)).endswith(": 1 not run yet")
    assert "1 s for 1e-03 (not reached)" in accuracy.in_words("heat", timed(1, 2, 3, status="noise"))


def test_tolerances_are_in_order_whatever_the_order_of_rows():
    mixed = [{"problem": "other"}, *reversed(timed(1, 2, 3))]
    assert accuracy.by_problem(mixed) == {"heat": timed(1, 2, 3)}


@pytest.mark.parametrize(("ticks", "seconds"), [([0, 12], [12]), ([0, 4, 4, 16, 16, 18], [4, 12, 2])])
def test_a_short_solve_is_done_three_times(ticks, seconds):
    clock = iter(ticks)
    assert accuracy.repeated(object, lambda: next(clock))[1] == seconds


def test_the_figure_is_drawn_of_what_there_is(tmp_path):
    curves = {"heat": [row | {"error": row["tol"]} for row in timed(1, 2, status="noise")]}
    accuracy.draw(curves, tmp_path / "accuracy.csv")
    assert (tmp_path / "accuracy.png").stat().st_size > 1000


def script(*arguments):
    """The output of one of the scripts."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.long
def test_a_training_takes_the_seconds_of_the_solve_beside_it(tmp_path):
    solves, trained = tmp_path / "solves.csv", tmp_path / "trained.csv"
    options = ("--threads", 1)
    done = script("experiments.tolerance", "Lorenz", "--out", solves, *options)
    assert done.returncode == 0, done.stderr
    (row,) = Table(solves, COLUMNS, KEY).rows()
    assert beyond(replace(LORENZ, seconds=600), row) == []
    solves.write_text(solves.read_text().replace(f",{row['seconds']},", ",2.0,"))
    done = script("experiments.tolerance.beside", "Lorenz", "wave", "--table", solves, "--out", trained, *options)
    assert done.returncode == 0, done.stderr
    assert f"wave: {solves} has no row of it yet" in done.stdout
    (beside,) = rows.Table(trained, ("error", "seconds", "given", "steps"), ()).rows()
    assert beside["given"] == "2.0" and 1 < float(beside["seconds"]) < 20
    assert "Adam" in beside["steps"] and "L-BFGS" in beside["steps"] and float(beside["error"]) > 1e-7


@pytest.mark.parametrize("module", ["", ".beside", ".accuracy"])
def test_a_problem_that_there_is_not_ends_in_one_line(module, tmp_path):
    done = script(f"experiments.tolerance{module}", "Lorentz", "--out", tmp_path / "table.csv")
    assert done.returncode == 2 and "there is no problem 'Lorentz': there are Lorenz, " in done.stderr
