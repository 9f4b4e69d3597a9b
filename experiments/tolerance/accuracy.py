"""Seconds against accuracy: six problems by `pinnlab.solve(equation, tol=…)` with tol = 1e-3, 1e-6 and 1e-9.

Each solve has a process of its own; one of less than 10 s is done three times there, and the least of the seconds
counts. Rows that a file has already are not run again: the script may be stopped, and run by parts. What there is so
far is drawn beside the file as a PNG, and a line for each problem says whether a smaller tolerance takes longer.

    python -m experiments.tolerance.accuracy [NAME …] [--threads 2] [--out FILE]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import pinnlab
from experiments.tolerance import PROBLEMS, Problem
from experiments.tolerance.rows import RESULTS, Row, Table, named, number, printed, scientific
from pinnlab import Solution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = ("Lorenz", "Van der Pol", "Helmholtz", "Kovasznay", "heat", "wave")
"""Problems that can reach the smallest tolerance: two with a time alone, two steady ones, two with time and place."""
TOLERANCES = (1e-3, 1e-6, 1e-9)
COLUMNS = ("problem", "tol", "error", "estimate", "status", "seconds", "all seconds")
SHORT, REPEATS = 10.0, 3
NOISE = 0.05
"""The part of its seconds by which a repeated solve differs. Two tolerances may be reached by the very same solve."""
MARKERS = ("o", "s", "^", "D", "v", "P")


def main() -> None:
    """Runs what is missing, says whether seconds are monotone, and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="some of the problems; all six by default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS / "tolerance_accuracy.csv")
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = named(parser, options.names, NAMES)
    if options.one is not None:
        printed(measured(PROBLEMS[names[0]], options.one, options))
        return
    table = Table(options.out, COLUMNS, ("problem", "tol"))
    for name in names:
        for tol in TOLERANCES:
            arguments = [name, "--one", str(tol), "--threads", str(options.threads)]
            table.measure("experiments.tolerance.accuracy", (name, tol), arguments)
    curves = by_problem(table.rows())
    for name, rows in curves.items():
        print(in_words(name, rows))
    draw(curves, options.out)


def measured(problem: Problem, tol: float, options: argparse.Namespace) -> dict[str, object]:
    """The least seconds of a solve, and its errors against the truth."""
    torch.set_num_threads(options.threads)
    solution, seconds = repeated(
        lambda: pinnlab.solve(problem.equation(), tol=tol, time_limit=problem.seconds, seed=0), time.perf_counter
    )
    end = solution.ending
    assert end is not None
    return {
        "problem": problem.name, "tol": tol, "error": scientific(problem.judged(solution).error),
        "estimate": scientific(end.error), "status": "reached" if end.reached else end.reason,
        "seconds": f"{min(seconds):.2f}", "all seconds": " ".join(f"{each:.2f}" for each in seconds),
    }  # fmt: skip


def repeated(solve: Callable[[], Solution], clock: Callable[[], float]) -> tuple[Solution, list[float]]:
    """A solution, and the seconds of one solve if it is long, of three if it is short."""
    seconds: list[float] = []
    while not seconds or (seconds[0] < SHORT and len(seconds) < REPEATS):
        began = clock()
        solution = solve()
        seconds.append(clock() - began)
    return solution, seconds


def by_problem(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each problem that there are, from the largest tolerance to the smallest."""
    of = {name: [row for row in rows if row["problem"] == name] for name in NAMES}
    return {name: sorted(some, key=lambda row: -number(row, "tol")) for name, some in of.items() if some}


def fall(rows: Sequence[Row]) -> float:
    """By which part the seconds fall at most from a tolerance to the next smaller one; 0 where they are monotone.

    Args:
        rows: The rows of one problem, the largest tolerance first.
    """
    seconds = [number(row, "seconds") for row in rows]
    return max((1 - tight / loose for loose, tight in pairwise(seconds) if tight < loose), default=0.0)


def in_words(name: str, rows: Sequence[Row]) -> str:
    """A line that says what the rows of one problem took, and whether they are monotone."""
    each = [
        f"{row['seconds']} s for {number(row, 'tol'):.0e}{'' if row['status'] == 'reached' else ' (not reached)'}"
        for row in rows
    ]
    lacking, most = len(TOLERANCES) - len(rows), fall(rows)
    verdict = f"monotone but for {100 * most:.1f} %" if most <= NOISE else f"NOT monotone: {100 * most:.0f} % less"
    if not most:
        verdict = "monotone"
    return f"{name}: {', '.join(each)}: {f'{lacking} not run yet' if lacking else verdict}"


def draw(curves: Mapping[str, Sequence[Row]], path: Path) -> None:
    """Seconds against the tolerance and against the true error, as a PNG beside the table."""
    from pinnlab.reporting.figures.style import panels, save, styled

    with styled():
        figure, axes = panels(2, size=(3.4, 3.0))
        for axis, column, label in zip(axes, ("tol", "error"), ("tolerance", "true relative error"), strict=True):
            panel(axis, curves, column)
            axis.set(xlabel=label, xscale="log", yscale="log")
            axis.invert_xaxis()
        axes[0].set(ylabel="seconds", xticks=TOLERANCES)
        if any(row["status"] != "reached" for rows in curves.values() for row in rows):
            axes[0].set_title("open marks: not reached")
        axes[1].sharey(axes[0])
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper")
        save(figure, path.with_suffix(""), ("png",))


def panel(axis: Axes, curves: Mapping[str, Sequence[Row]], column: str) -> None:
    """A curve for each problem; an open mark is a tolerance that was not reached."""
    from pinnlab.reporting.figures.style import CYCLE, LINES

    for i, (name, rows) in enumerate(curves.items()):
        place, seconds = ([number(row, of) for row in rows] for of in (column, "seconds"))
        colour, mark = CYCLE[NAMES.index(name)], MARKERS[NAMES.index(name)]
        axis.plot(place, seconds, mark, linestyle=LINES[i % len(LINES)], color=colour, label=name, markersize=5)
        missed = [j for j, row in enumerate(rows) if row["status"] != "reached"]
        for j in missed:
            axis.plot(place[j], seconds[j], mark, color=colour, markerfacecolor="white", markersize=5)


if __name__ == "__main__":
    main()
