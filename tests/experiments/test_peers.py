"""The comparison with other programs: the watch, the counts on made-up rows, and equations that are DeepXDE's."""

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.peers import equations, summary
from experiments.peers.__main__ import COLUMNS, DEEPXDE
from experiments.peers.examples import EXAMPLES
from experiments.peers.watch import Mark, Watch
from pinnlab.equations import Equation
from tests.catalogue.truth import residuals_at_the_truth

ROOT = Path(__file__).parents[2]
OWN = [kind for kind in vars(equations).values() if isinstance(kind, type) and issubclass(kind, Equation)]
OWN = [kind for kind in OWN if kind.__module__ == equations.__name__]


def test_eight_examples_have_points_in_the_order_of_their_columns():
    assert len(EXAMPLES) == 8
    for example in EXAMPLES.values():
        points = example.problem.points()
        assert set(example.columns) == set(example.problem.equation().inputs) == set(points)
        assert np.array_equal(example.inputs()[:, -1], points[example.columns[-1]])


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.__name__)
def test_the_truth_satisfies_every_constraint(kind):
    count = 40 if kind().known_order is None else 6
    moved = max(residuals_at_the_truth(kind(), count, 0.02, shift=1e-3).values())
    assert max(residuals_at_the_truth(kind(), count).values()) < 1e-6 * min(1.0, 1e2 * moved) and moved > 1e-6


def test_lorenz_is_measured_at_the_times_of_the_example():
    t, (x, *_) = np.array(equations.TIMES), equations.measured()
    assert len(t) == 25 and (np.diff(t) > 0).all() and abs(x[0] + 8) < 1e-12
    data = equations.LorenzFromFew().constraints()["data"].region
    assert {name: unknown.start for name, unknown in equations.LorenzFromFew().unknowns().items()} == dict.fromkeys(
        ("sigma", "rho", "beta"), 1.0
    )
    assert torch.equal(data.columns["t"].flatten(), torch.as_tensor(t))


def test_the_clock_stands_still_while_errors_are_computed():
    now, looked = [0.0], []

    def errors():
        now[0] += 100.0
        looked.append(now[0])
        return 0.5, 0.6, float("nan")

    watch = Watch(errors, cap=2.0, clock=lambda: now[0])
    watch.begins()
    ends = []
    for _ in range(8):
        now[0] += 0.25
        ends.append(watch.looks())
    assert [mark.seconds for mark in watch.marks] == [0.5, 1.0, 1.5, 2.0]
    assert ends == [False] * 7 + [True] and watch.seconds == 2.0 and len(looked) == 4
    assert watch.marks[0][1:3] == (0.5, 0.6) and Mark._fields == ("seconds", "l2", "error", "unknown")


def made(ours, seconds, curve, loose=None):
    """Rows of Burgers by program: pinnlab's error and seconds, DeepXDE's curve, and a looser solve."""
    row = dict.fromkeys(COLUMNS, "") | {"example": "Burgers", "ended": "reached"}
    rows = [row | {"program": "pinnlab 1e-08", "l2": str(ours), "seconds": str(seconds)}]
    rows += [
        row | {"program": DEEPXDE, "l2": curve.split(":")[-1], "seconds": "30", "curve": curve, "ended": "the cap"}
    ]
    rows += [row | {"program": "pinnlab 1e-03", "l2": str(loose[0]), "seconds": str(loose[1])}] if loose else []
    return rows


def test_of_a_training_the_least_error_until_then_counts():
    found = {row["program"]: row for row in made(1e-6, 12, "5:0.3 10:0.1 20:0.2 30:0.01", loose=(5e-3, 2))}
    assert summary.at_its_end(found) == 0.01
    # the look at 20 s is the first after 12 s, and the one at 10 s is better
    assert summary.at_equal_seconds(found) == 0.1
    assert summary.ours_to(found, 0.01) == 2 and summary.ours_to(found, 1e-4) == 12
    assert summary.ours_to(found, 1e-7) is None and summary.theirs_to(found, 0.2) == 10


def test_ahead_is_a_factor_of_a_hundred_and_what_lacks_is_named():
    lines = summary.told(made(1.01e-4, 100, "5:0.3 30:0.01"))
    assert "on 0 of 1; not on Burgers (99)." in "\n".join(lines)
    lines = summary.told(made(0.99e-4, 100, "5:0.3 30:0.01"))
    assert lines[4].endswith("at DeepXDE's end on 1 of 1.") and lines[-1].startswith("Not run yet: Helmholtz, ")
    assert len(lines[2].split("|")) == len(summary.HEAD) + 2


def test_examples_of_docstrings_run():
    result = doctest.testmod(summary)
    assert result.attempted and not result.failed


def test_an_example_is_solved_and_a_program_that_is_missing_is_named(tmp_path):
    command = [sys.executable, "-m", "experiments.peers", "rotation"]
    done = subprocess.run([*command, "--one", "1e-3"], cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0 and '"ended": "reached"' in done.stdout, done.stderr
    (tmp_path / "deepxde.py").write_text("raise ImportError")
    script = "import experiments.peers.trainings"
    done = subprocess.run(
        [sys.executable, "-c", script], text=True, capture_output=True, env={"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    )
    assert "DeepXDE is missing: install it by pip install -e '.[peers]'" in done.stderr
