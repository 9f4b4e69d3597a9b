"""The tables of the tolerance benchmark as markdown, and the counts: what is within bounds, and what claims too much.

It reads what the other scripts have written so far, and runs nothing.

    python -m experiments.tolerance.summary [--table FILE] [--judgement FILE] [--beside FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.tolerance import PROBLEMS, Problem
from experiments.tolerance.__main__ import COLUMNS, JUDGED, KEY, TABLE
from experiments.tolerance.beside import BESIDE
from experiments.tolerance.beside import COLUMNS as TRAINED
from experiments.tolerance.judgement import JUDGEMENT
from experiments.tolerance.rows import Row, Table, number
from experiments.tolerance.verdict import beyond, claims_too_much, of, says_where, within, worst

HEAD = (
    "problem", "tol", "bound", "true error", "estimate", "status", "seconds", "allowed", "MiB", "Adam and L-BFGS",
    "beyond its bounds",
)  # fmt: skip
NONE = "–"


def main() -> None:
    """Prints all tables and counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--judgement", type=Path, default=JUDGED)
    parser.add_argument("--beside", type=Path, default=BESIDE)
    options = parser.parse_args()
    rows, judgement = (Table(path, COLUMNS, KEY).rows() for path in (options.table, options.judgement))
    beside = Table(options.beside, TRAINED, KEY).rows()
    solvable = {name: problem for name, problem in PROBLEMS.items() if problem.solvable}
    negative = {name: problem for name, problem in PROBLEMS.items() if not problem.solvable}
    print("\n".join([*table(solvable, rows, beside), "", *counts(solvable, rows)]))
    print("\n".join(["", "Problems that cannot be solved to their tolerance:", "", *table(negative, rows, beside), ""]))
    print("\n".join(refusals(negative, rows)))
    if judgement:
        print("\n".join(["", "Problems for judgement:", "", *table(JUDGEMENT, judgement, []), ""]))
        print("\n".join(counts(JUDGEMENT, judgement)))


def table(problems: Mapping[str, Problem], rows: Sequence[Row], beside: Sequence[Row]) -> list[str]:
    """The lines of a markdown table, a row for each problem that was run.

    True errors, the status and what is beyond the bounds are the worst of all seeds; all else is of the first seed.
    """
    run = {name: own for name in problems if (own := of(name, rows))}
    lines = [line(cells(problems[name], own, of(name, beside))) for name, own in run.items()]
    return [line(HEAD), "|" + "---|" * len(HEAD), *lines]


def line(parts: Sequence[str]) -> str:
    """A line of a markdown table."""
    return f"| {' | '.join(parts)} |"


def cells(problem: Problem, rows: Sequence[Row], beside: Sequence[Row]) -> list[str]:
    """The cells of a problem.

    Args:
        problem: The problem.
        rows: Its rows, one for each seed, at least one.
        beside: The row of the training beside it, or none.
    """
    first = rows[0]
    lacking = dict.fromkeys(part for row in rows for part in beyond(problem, row))
    return [
        problem.name,
        "noise" if problem.tol is None else f"{problem.tol:.0e}",
        kinds(problem, f"{problem.bound:.0e}", problem.l2, problem.unknown_bound),
        true_error(problem, rows),
        kinds(problem, f"{number(first, 'estimate'):.1e}", None, number(first, "estimate of unknown")),
        status(rows),
        first["seconds"],
        f"{problem.seconds:g}",
        first["MiB"],
        true_error(problem, beside) if beside else NONE,
        ", ".join(lacking) or NONE,
    ]


def status(rows: Sequence[Row]) -> str:
    """How the first of the rows ended that did not reach its tolerance; "reached" if there is none."""
    return next((f"{row['status']} (seed {row['seed']})" for row in rows if row["status"] != "reached"), "reached")


def true_error(problem: Problem, rows: Sequence[Row]) -> str:
    """The worst true errors of rows."""
    return kinds(problem, f"{worst(rows, 'error'):.1e}", worst(rows, "l2"), worst(rows, "unknown"))


def kinds(problem: Problem, error: str, l2: float | None, unknown: float | None) -> str:
    """An error, with the relative L2 error where a problem bounds it and the error of an unknown where it has one."""
    parts = [error]
    if problem.l2 is not None and l2 is not None:
        parts.append(f"L2 {l2:.1e}")
    if problem.unknowns and unknown is not None:
        parts.append(f"{', '.join(problem.unknowns)} {unknown:.1e}")
    return ", ".join(parts)


def counts(problems: Mapping[str, Problem], rows: Sequence[Row]) -> list[str]:
    """Lines that say how many problems are within their bounds, of further seeds, and of claims."""
    run = {name: own for name in problems if (own := of(name, rows))}
    kept = within(problems, rows)
    further = {name: own[1:] for name, own in run.items() if own[1:]}
    good = [row for name, own in further.items() for row in own if not beyond(problems[name], row)]
    false = [f"{name} (seed {row['seed']})" for name, own in run.items() for row in own if claims_too_much(row)]
    return [
        f"Within their bounds in every seed that was run: {len(kept)} of {len(problems)}."
        + listed("Beyond", [name for name in run if name not in kept])
        + listed("Not run yet", [name for name in problems if name not in run]),
        f"Further seeds: {len(good)} of {sum(map(len, further.values()))} rows within their bounds."
        + listed("Of", list(further)),
        f"Called reached with a true error of more than ten times tol: {len(false)}.{listed('They are', false)}",
    ]


def refusals(problems: Mapping[str, Problem], rows: Sequence[Row]) -> list[str]:
    """A line for each problem that cannot be solved: whether every row of it says so, and where."""
    lines = []
    for name, problem in problems.items():
        own = of(name, rows)
        said = bool(own) and all(says_where(problem, row) for row in own)
        verdict = "not reached, and says where" if said else "does NOT say where" if own else "not run yet"
        lines.append(f"{name}: {verdict}.")
    return lines


def listed(title: str, names: Sequence[str]) -> str:
    """A sentence that lists names, which may have commas, after a title; nothing for none."""
    return f" {title}: {'; '.join(names)}." if names else ""


if __name__ == "__main__":
    main()
