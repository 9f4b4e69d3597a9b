"""Comparing runs: what differs, groups over seeds, speed-ups, killed runs, and the size of the job."""

import csv
import json
import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pinnlab.errors import UserError
from pinnlab.reporting.comparison import Comparison
from pinnlab.reporting.comparison.curves import caption, draw_curves
from pinnlab.reporting.comparison.page import render
from pinnlab.reporting.comparison.runs import find, flatten, read
from pinnlab.reporting.comparison.tables import markdown

REPOSITORY = Path(__file__).parents[2]

MEASURED = """
import pathlib, sys
from pinnlab.cli import main
status = main(sys.argv[1:])
# ru_maxrss would count what the process was before exec: the test runner with torch
used = dict(line.split(":") for line in pathlib.Path("/proc/self/status").read_text().splitlines())["VmHWM"]
print("peak MiB", int(used.split()[0]) / 1024)
heavy = [name for name in ("torch", "lightning", "wandb") if name in sys.modules]
print("heavy", heavy)
sys.exit(status)
"""


def run_command(*arguments: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name != "WANDB_API_KEY"}
    environment["PYTHONPATH"] = str(REPOSITORY)
    return subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments], capture_output=True, text=True, cwd=cwd, env=environment
    )


def test_flatten_writes_keys_as_overrides_do():
    flat = flatten(
        {
            "model": {"phases": [{"class_path": "pinnlab.training.Adam", "init_args": {"lr": 0.1, "betas": [1, 2]}}]},
            "run": {"root": "runs"},
            "data": {"seed": 3},
        }
    )
    assert flat == {"phases.0": "Adam", "phases.0.lr": 0.1, "phases.0.betas": [1, 2], "data.seed": 3}


def test_only_what_differs_is_shown_and_the_best_run_is_first(write_run):
    kinds = [(width, seed) for width in (8, 4) for seed in (0, 1)]
    runs = [read(write_run(f"w{width}-{seed}", seed, width=width, half_life=width)) for width, seed in kinds]
    comparison = Comparison(runs)
    assert comparison.differing == ["network.width"]
    assert [run.settings["network.width"] for run in comparison.runs] == [4, 4, 8, 8]
    assert list(comparison.groups) == [("4",), ("8",)]
    columns, rows = comparison.table().columns, comparison.table().rows
    assert columns[:5] == ["run", "network.width", "seed", "status", "steps"]
    assert rows[0][columns.index("max_error")] == pytest.approx(2 * runs[2].metrics["error_lam"])


def test_options_of_a_class_are_shown_where_they_vary(write_run):
    runs = [read(write_run(name)) for name in ("a", "b", "c")]
    settings = [{"engine": "NTP", "engine.composition": name} for name in ("recurrence", "faa_di_bruno")]
    settings.append({"engine": "Autograd"})
    several = [replace(run, settings=chosen) for run, chosen in zip(runs, settings, strict=True)]
    assert Comparison(several).differing == ["engine", "engine.composition"]
    assert Comparison([several[0], several[2]]).differing == ["engine"]
    assert Comparison([several[0], replace(several[2], settings={})]).differing == ["engine"]


def test_groups_give_median_and_extremes_over_seeds(write_run):
    runs = [read(write_run(f"r{seed}", seed, half_life=1 + seed)) for seed in range(3)]
    table = Comparison(runs, "error_lam").group_table()
    errors = [run.metrics["error_lam"] for run in runs]
    line = dict(zip(table.columns, table.rows[0], strict=True))
    assert line["runs"] == 3
    assert line["error_lam median"] == pytest.approx(errors[1])
    assert (line["error_lam min"], line["error_lam max"]) == (pytest.approx(errors[0]), pytest.approx(errors[2]))


def test_speedup_is_the_ratio_of_times_to_the_same_error(write_run):
    # same errors at the same steps, each step 7 times dearer
    runs = [read(write_run(f"ntp{seed}", seed, rate=0.01, half_life=0.5)) for seed in range(3)]
    runs += [read(write_run(f"ad{seed}", seed, "Autograd", rate=0.07, half_life=3.5)) for seed in range(3)]
    (speedup,) = Comparison(runs).speedups
    assert (speedup.fast, speedup.slow) == ("NTP", "Autograd")
    assert speedup.at_error == pytest.approx([7.0] * 3)
    assert speedup.per_step == pytest.approx([7.0] * 3)


def test_speedup_takes_the_error_that_both_reach(write_run):
    # twice as fast a descent for the same price of a step: half the time to each error
    fast = read(write_run("a", half_life=0.5, rate=0.001, rows=1001))
    slow = read(write_run("b", engine="Autograd", half_life=1.0, rate=0.001, rows=1001))
    (speedup,) = Comparison([fast, slow]).speedups
    assert speedup.at_error[0] == pytest.approx(2.0, rel=1e-2)


def estimated(run, error, estimate, seconds, **curves):
    """The run with other numbers at its end, and a record of the loss alone."""
    numbers = {"max_error": error, "uncertainty_u": estimate, "seconds": seconds, "steps": 10.0}
    record = {name: column for name, column in run.curves.items() if name in ("step", "seconds", "loss")}
    return replace(run, metrics=numbers, curves=record, truths={})


def test_the_table_has_the_estimated_error_beside_the_error(write_run):
    runs = [estimated(read(write_run("a")), 1e-6, 3e-6, 1.0), estimated(read(write_run("b", 1)), 1e-5, None, 1.0)]
    runs[1].metrics.pop("uncertainty_u")
    table = Comparison(runs).table()
    place = table.columns.index("max_error")
    assert table.columns[place + 1] == "± estimated"
    assert [row[place : place + 2] for row in table.rows] == [[1e-6, 3e-6], [1e-5, None]]
    assert "3e-06" in markdown(table) and "3.00e-06" not in markdown(table)
    # an unknown has its own, and is none of the outputs
    (run,) = [
        replace(run, metrics=run.metrics | {"lam": 0.5, "uncertainty_lam": 7.0, "error_lam": 2.0}) for run in runs[:1]
    ]
    assert Comparison([run]).estimate(run) == 3e-6 and Comparison([run], "error_lam").estimate(run) == 7.0


def test_errors_of_ends_give_a_lower_bound_of_the_speedup(write_run):
    runs = [read(write_run("a")), read(write_run("b", engine="Autograd"))]
    exact, slow = estimated(runs[0], 1e-6, 1e-6, 2.0), estimated(runs[1], 1e-5, 1e-5, 8.0)
    (speedup,) = Comparison([exact, slow]).speedups
    assert (speedup.at, speedup.fast, speedup.at_error, speedup.least) == ("max_error", "NTP", (4.0,), True)
    table = Comparison([exact, slow]).tables()[-1]
    assert table.title.startswith("speed-up at equal max_error: at least") and table.rows[0][3] == "≥ 4 ×"
    # the sooner run is the worse one: nothing follows from its error, and the losses are compared
    worse = estimated(runs[0], 1e-4, 1e-4, 2.0)
    (speedup,) = Comparison([worse, slow]).speedups
    assert speedup.at == "loss" and not speedup.least
    assert Comparison([worse, slow]).tables()[-1].columns[3] == "at equal loss"


def test_the_first_panel_shows_what_the_table_is_sorted_by(write_run):
    run = estimated(read(write_run("a")), 1e-6, 3e-6, 2.0)
    comparison = Comparison([run])
    first, second, third = draw_curves(comparison).axes
    assert first.get_title() == "max error at the end" and second.get_title() == third.get_title() == "loss on the way"
    marks = {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in first.lines if len(line.get_xdata()) == 1
    }
    assert marks == {(2.0, 1e-6), (2.0, 3e-6)}
    assert "hollow" in caption(comparison)
    # no errors, no such panel
    assert len(draw_curves(Comparison([replace(run, metrics={"seconds": 2.0})])).axes) == 2


def test_a_killed_run_is_read_from_its_rows(write_run):
    whole, killed = read(write_run("whole")), read(write_run("killed", 1, killed=True))
    assert killed.status == "unfinished"
    assert killed.metrics["steps"] == 1000  # not the 9999 of the line that the crash cut off
    comparison = Comparison([whole, killed], "error_lam")
    # the other run of the same equation knows the truth
    assert comparison.final(killed, "error_lam") == pytest.approx(whole.metrics["error_lam"])


def test_what_killed_runs_leave_at_any_moment_is_read(tmp_path):
    for name, files in (("empty", {"metrics.csv": ""}), ("begun", {"config.yaml": "a: 1\n", "metrics.csv": "step,lo"})):
        folder = tmp_path / name
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text)
    comparison = Comparison([read(path) for path in find([str(tmp_path)])])
    assert "unfinished" in render(comparison)


def test_find_takes_folders_globs_and_folders_of_folders(write_run, tmp_path):
    for name in ("a-2", "a-10", "b-1"):
        write_run(name)
    root = tmp_path / "runs"
    assert [path.name for path in find([str(root)])] == ["a-2", "a-10", "b-1"]
    assert [path.name for path in find([str(root / "a-*"), str(root / "a-2")])] == ["a-10", "a-2"]
    with pytest.raises(UserError, match="no run folder"):
        find([str(root / "c-*")])


def test_unknown_metric_lists_those_there_are(write_run):
    with pytest.raises(UserError, match=r"no run has the metric 'speed'; there are .*error_lam"):
        Comparison([read(write_run("a"))], "speed")


def test_a_damaged_summary_is_one_line(write_run):
    path = write_run("a")
    (path / "summary.json").write_text('{"equation": ')
    with pytest.raises(UserError, match=r"summary\.json is damaged"):
        read(path)


def test_two_hundred_runs_take_seconds_and_no_torch(write_run, tmp_path):
    for number in range(200):
        engine = ("NTP", "Autograd")[number % 2]
        seed, width = divmod(number // 2, 10)
        write_run(f"run-{number}", seed, engine, 10 + width, half_life=1 + width, rows=1000, killed=number % 9 == 0)
    files = {name: tmp_path / f"comparison.{name}" for name in ("html", "csv", "md", "png")}
    started = time.perf_counter()
    done = run_command(
        "compare", str(tmp_path / "runs"), "--html", str(files["html"]), "--csv", str(files["csv"]),
        "--markdown", str(files["md"]), "--figure", str(files["png"]),
    )  # fmt: skip
    seconds = time.perf_counter() - started
    assert done.returncode == 0, done.stderr
    peak = float(done.stdout.split("peak MiB")[1].split()[0])
    print(f"200 runs: {seconds:.2f} s, {peak:.0f} MiB")
    assert "heavy []" in done.stdout
    assert peak < 500
    # the goal is 5 s on an idle machine; other tests run beside this one
    assert seconds < 15
    with files["csv"].open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 200
    assert "NTP" in files["md"].read_text()
    assert all(file.stat().st_size > 10_000 for file in files.values())


def test_a_wandb_project_needs_a_key():
    done = run_command("compare", "someone/something")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "WANDB_API_KEY" in done.stderr


def test_bad_arguments_are_one_line(tmp_path):
    for arguments in (["compare"], ["compare", "--htm", "x", str(tmp_path)], ["compare", str(tmp_path)]):
        done = run_command(*arguments)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr


def solve_of(folder, tol, error=None):
    """A folder of a solve to a tolerance, which has ended with that error or not at all."""
    folder.mkdir()
    model = {"equation": {"class_path": "pinnlab.problems.Poisson"}}
    (folder / "solve.json").write_text(json.dumps({"seed_everything": 0, "tol": tol, "model": model}))
    survey = {"decision": "Survey", "answer": [0.1, 0.2], "seconds": 1.0}
    proposals = [
        {"decision": "Proposal", "answer": {"error": 10.0**-k, "held_out": 1e-3}, "seconds": 2.0} for k in (2, 5)
    ]
    lines = [json.dumps(line) + "\n" for line in (survey, *proposals)]
    (folder / "decisions.jsonl").write_text("".join(lines) + '{"decision": "Acc')
    if error is not None:
        summary = {"status": "finished", "seconds": 6.0, "tolerance": {"error": error if error < 1 else None}}
        (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def test_solves_to_a_tolerance_show_their_estimated_error_and_those_that_were_killed_too(tmp_path):
    solve_of(tmp_path / "loose", 1e-4, 1e-5)
    solve_of(tmp_path / "never", 1e-9, math.inf)
    solve_of(tmp_path / "killed", 1e-8)
    comparison = Comparison([read(path) for path in find([str(tmp_path)])])
    assert comparison.metric == comparison.curve_metric == "solve/error" and comparison.differing == ["tol"]
    shown = {run.name: (run.status, run.metrics["solve/error"], run.metrics["steps"]) for run in comparison.runs}
    assert shown == {
        "loose": ("finished", 1e-5, 2), "killed": ("unfinished", 1e-5, 2), "never": ("finished", math.inf, 2)
    }  # fmt: skip
    assert [run.name for run in comparison.runs][-1] == "never"
    steps, seconds, errors = comparison.curve(comparison.runs[0])
    assert list(steps) == [0, 1] and list(seconds) == [3.0, 5.0] and list(errors) == [1e-2, 1e-5]


def test_beside_a_training_only_the_tolerance_is_told(tmp_path, write_run):
    runs = [read(write_run("trained", 0)), read(solve_of(tmp_path / "solved", 1e-4, 1e-5))]
    comparison = Comparison(runs)
    assert "tol" in comparison.differing
    assert all(key == "tol" or all(key in run.settings for run in runs) for key in comparison.differing)
