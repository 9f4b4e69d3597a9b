"""What a training by hand reaches in the seconds that a solve to a tolerance took: one row for each problem, seed 0.

It is the training that `pinnlab.solve(equation)` has by default, with other ends: an MLP of 3 layers of 24 and the
equation's points, half of the seconds Adam, the rest L-BFGS, which does not end before its time. The seconds are those
of steps alone: what comes before and after is free. Each problem has a process of its own, and rows that the file has
already are not run again.

    python -m experiments.tolerance.beside [NAME …] [--threads 2] [--table FILE] [--out FILE]
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path

import torch

import pinnlab
from experiments.tolerance import PROBLEMS, Problem
from experiments.tolerance.__main__ import COLUMNS as SOLVED
from experiments.tolerance.__main__ import KEY, TABLE
from experiments.tolerance.rows import RESULTS, Table, named, number, printed, scientific
from pinnlab import Solution
from pinnlab.errors import DivergedError
from pinnlab.training import LBFGS, Adam, Phase

COLUMNS = ("problem", "seed", "error", "l2", "unknown", "seconds", "given", "steps", "ended")
BESIDE = RESULTS / "tolerance_beside.csv"
MANY = 10**9
"""Steps that no training here comes to: its time ends it."""


def main() -> None:
    """Runs what is missing and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="some of the problems; by default all that can be solved")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--table", type=Path, default=TABLE, help="the solves to a tolerance, with their seconds")
    parser.add_argument("--out", type=Path, default=BESIDE)
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = named(parser, options.names, [name for name, problem in PROBLEMS.items() if problem.solvable])
    if options.one is not None:
        printed(measured(PROBLEMS[names[0]], options.one, options))
        return
    solves, table = Table(options.table, SOLVED, KEY), Table(options.out, COLUMNS, KEY)
    for name in names:
        solve = solves.find(name, 0)
        if solve is None:
            print(f"{name}: {options.table} has no row of it yet")
            continue
        arguments = [name, "--one", str(number(solve, "seconds")), "--threads", str(options.threads)]
        table.measure("experiments.tolerance.beside", (name, 0), arguments)


def measured(problem: Problem, seconds: float, options: argparse.Namespace) -> dict[str, object]:
    """A training of some seconds, and its errors against the truth."""
    torch.set_num_threads(options.threads)
    solution, taken, steps, ended = trained(problem, seconds)
    judged = problem.judged(solution)
    return {
        "problem": problem.name, "seed": 0, "error": scientific(judged.error), "l2": scientific(judged.l2),
        "unknown": scientific(judged.unknown), "seconds": f"{taken:.1f}", "given": f"{seconds:.1f}",
        "steps": steps, "ended": ended,
    }  # fmt: skip


def trained(problem: Problem, seconds: float) -> tuple[Solution, float, str, str]:
    """Half of the seconds Adam, then L-BFGS from there.

    Args:
        problem: The problem.
        seconds: The seconds of steps in all.

    Returns:
        The solution, the seconds and steps that were taken, and why it ended. A loss that is infinite under L-BFGS
        leaves what Adam found.

    Raises:
        DivergedError: if the loss is infinite under Adam.
    """
    solution = timed(problem, Adam(MANY), seconds / 2)
    first = solution.model.schedule
    try:
        solution = timed(problem, LBFGS(MANY, plateau=None), seconds - first.seconds, solution)
    except DivergedError as diverged:
        return solution, first.seconds, f"Adam {first.step}", f"before L-BFGS: {diverged}"
    last = solution.model.schedule
    return solution, first.seconds + last.seconds, f"Adam {first.step}, L-BFGS {last.step}", "the time"


def timed(problem: Problem, phase: Phase, seconds: float, start: Solution | None = None) -> Solution:
    """A training by one phase for some seconds, from another solution if one is given."""
    limit = timedelta(seconds=seconds)
    return pinnlab.solve(problem.equation(), phases=phase, start=start, max_time=limit)


if __name__ == "__main__":
    main()
