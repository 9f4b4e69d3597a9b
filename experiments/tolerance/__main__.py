"""Every problem of the benchmark by `pinnlab.solve(equation, tol=…)` with the time limit alone: one row for each.

Each problem has a process of its own, so that its seconds and its memory are its own. Rows that a file has already are
not run again: the script may be stopped, and run by parts.

    python -m experiments.tolerance [NAME …] [--judgement] [--seeds 0 1 2] [--threads 2] [--out FILE] [--cache FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import pinnlab
from experiments.tolerance import PROBLEMS, Problem
from experiments.tolerance.judgement import JUDGEMENT

COLUMNS = (
    "problem",
    "seed",
    "tol",
    "bound",
    "error",
    "l2",
    "estimate",
    "status",
    "seconds",
    "allowed",
    "MiB",
    "solution",
)
# Noise sets the error of a problem without a tolerance: a solve is asked for more than it can give.
NOISY = 1e-6


def main() -> None:
    """Runs what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="some of the problems; all by default")
    parser.add_argument("--judgement", action="store_true", help="the problems that the recipe was not made on")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("experiments/results/tolerance.csv"))
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "pinnlab-references")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    problems = JUDGEMENT if options.judgement else PROBLEMS
    if options.one:
        print(json.dumps(measured(problems[options.names[0]], options)))
        return
    rows = read(options.out)
    for name in options.names or problems:
        for seed in options.seeds:
            if any(row["problem"] == name and int(row["seed"]) == seed for row in rows):
                continue
            command = [sys.executable, "-m", "experiments.tolerance", "--one", name, "--seeds", str(seed)]
            command += ["--threads", str(options.threads), "--cache", str(options.cache)]
            done = subprocess.run(
                [*command, *(["--judgement"] if options.judgement else [])], stdout=subprocess.PIPE, text=True
            )
            if done.returncode:
                raise SystemExit(f"{name} failed")
            row = json.loads(done.stdout.splitlines()[-1])
            rows.append(row)
            write(options.out, rows)
            print("  ".join(f"{row[column]}" for column in COLUMNS), flush=True)


def measured(problem: Problem, options: argparse.Namespace) -> dict[str, object]:
    """One solve, and its errors against the truth."""
    torch.set_num_threads(options.threads)
    (seed,) = options.seeds
    tol, equation = problem.tol or NOISY, problem.equation()
    began = time.perf_counter()
    solution = pinnlab.solve(equation, tol=tol, time_limit=problem.seconds, seed=seed)
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    options.cache.mkdir(exist_ok=True)
    points = problem.points()
    truth = problem.truth(points, options.cache)
    found = solution.evaluate(**points)
    values = {name: np.asarray(found[name]) for name in equation.outputs}
    errors, norms = problem.errors(values, truth), problem.relative_l2(values, truth)
    for name, true in problem.unknowns.items():
        errors[name] = abs(solution.unknowns[name] - true) / abs(true)
    end = solution.ending
    assert end is not None
    return {
        "problem": problem.name, "seed": seed, "tol": tol, "bound": problem.bound,
        "error": f"{max(errors.values()):.2e}",
        "l2": f"{max(norms.values()):.2e}", "estimate": f"{end.error:.2e}",
        "status": "reached" if end.reached else end.reason, "seconds": f"{seconds:.1f}", "allowed": problem.seconds,
        "MiB": f"{memory:.0f}", "solution": f"{end.windows} windows, {end.features} features, {end.points} points",
    }  # fmt: skip


def read(path: Path) -> list[dict[str, object]]:
    """The rows of a file; none where there is none."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, object]]) -> None:
    """Writes all rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
