"""Every problem of the benchmark by `pinnlab.solve(equation, tol=…)` with the time limit alone: one row for each.

Each problem has a process of its own, so that its seconds and its memory are its own. Rows that a file has already are
not run again: the script may be stopped, and run by parts.

    python -m experiments.tolerance [NAME …] [--judgement] [--seeds 0 1 2] [--threads 2] [--out FILE]
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from pathlib import Path

import torch

import pinnlab
from experiments.tolerance import PROBLEMS, Problem
from experiments.tolerance.judgement import JUDGEMENT
from experiments.tolerance.rows import RESULTS, Table, named, printed, scientific
from pinnlab import Solution
from pinnlab.errors import NothingFoundError

COLUMNS = (
    "problem",
    "seed",
    "tol",
    "bound",
    "error",
    "l2",
    "unknown",
    "estimate",
    "estimate of unknown",
    "status",
    "seconds",
    "allowed",
    "MiB",
    "solution",
)
"""Errors and estimates are relative; those of an unknown are empty where there is none."""
KEY = ("problem", "seed")
TABLE, JUDGED = RESULTS / "tolerance.csv", RESULTS / "tolerance_judgement.csv"
# Noise sets the error of a problem without a tolerance: a solve is asked for more than it can give.
NOISY = 1e-6


def main() -> None:
    """Runs what is missing and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="some of the problems; all by default")
    parser.add_argument("--judgement", action="store_true", help="the problems that the recipe was not made on")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help=f"{TABLE} by default, {JUDGED} of the problems for judgement")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    problems = JUDGEMENT if options.judgement else PROBLEMS
    names = named(parser, options.names, problems)
    if options.one:
        printed(measured(problems[names[0]], options))
        return
    table = Table(options.out or (JUDGED if options.judgement else TABLE), COLUMNS, KEY)
    which = ["--judgement"] if options.judgement else []
    for name in names:
        for seed in options.seeds:
            arguments = ["--one", name, "--seeds", str(seed), "--threads", str(options.threads), *which]
            table.measure("experiments.tolerance", (name, seed), arguments)


def measured(problem: Problem, options: argparse.Namespace) -> dict[str, object]:
    """One solve, and its errors against the truth; where nothing is found, the errors are infinite."""
    torch.set_num_threads(options.threads)
    (seed,) = options.seeds
    tol, equation = problem.tol or NOISY, problem.equation()
    solution, reason = None, ""
    began = time.perf_counter()
    try:
        solution = pinnlab.solve(equation, tol=tol, time_limit=problem.seconds, seed=seed)
    except NothingFoundError as nothing:
        reason = str(nothing)
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row: dict[str, object] = {
        "problem": problem.name, "seed": seed, "tol": tol, "bound": problem.bound, "seconds": f"{seconds:.1f}",
        "allowed": problem.seconds, "MiB": f"{memory:.0f}",
    }  # fmt: skip
    if solution is None:
        return dict.fromkeys(COLUMNS, "") | row | {"error": math.inf, "estimate": math.inf, "status": reason}
    return row | found(problem, solution)


def found(problem: Problem, solution: Solution) -> dict[str, object]:
    """What a solution adds to its row."""
    judged, end = problem.judged(solution), solution.ending
    assert end is not None
    margins = [solution.metrics[f"uncertainty_{name}"] / abs(true) for name, true in problem.unknowns.items()]
    until = f", largest error at {end.place}" if end.place else ""
    until += "" if end.until is None else f", found up to {end.until:.4g}"
    return {
        "error": scientific(judged.error), "l2": scientific(judged.l2), "unknown": scientific(judged.unknown),
        "estimate": scientific(end.error), "estimate of unknown": scientific(max(margins, default=None)),
        "status": "reached" if end.reached else f"{end.reason}{until}",
        "solution": f"{end.windows} windows, {end.features} features, {end.points} points",
    }  # fmt: skip


if __name__ == "__main__":
    main()
