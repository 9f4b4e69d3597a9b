"""What a row of the table says: whether it is within its bounds, claims too much, and says where it failed.

from experiments.tolerance.verdict import beyond

beyond(PROBLEMS["Lorenz"], {"error": "3e-7", "l2": "1e-7", "seconds": "6.7"})   # ["error 3e-07 > 1e-07"]
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from experiments.tolerance.problem import Problem
from experiments.tolerance.rows import Row, number

FACTOR = 3.0
"""How far the estimate of an unknown from noisy data may be from its true error, either way."""
CLAIM = 10.0
"""How many times the tolerance the true error of a solution may be that is called reached."""


def beyond(problem: Problem, row: Row) -> list[str]:
    """The bounds of a problem that a row does not keep, each in words; none if it is within all of them.

    The bounds are those on the error, the seconds, the relative L2 error where one is asked for, and the error of an
    unknown. Where noise sets the tolerance, the estimate of the unknown is to be its error within a factor of three.
    A number that the row lacks keeps no bound.

    Args:
        problem: The problem.
        row: A row of its table.

    Example:
        >>> from experiments.tolerance import PROBLEMS
        >>> beyond(PROBLEMS["Lorenz"], {"error": "3e-7", "l2": "1e-7", "seconds": "70"})
        ['error 3e-07 > 1e-07', 'seconds 70 > 60']
    """
    bounds = {"error": problem.bound, "l2": problem.l2, "unknown": problem.unknown_bound, "seconds": problem.seconds}
    found = [
        f"{name} {number(row, name):.3g} > {bound:.3g}"
        for name, bound in bounds.items()
        if bound is not None and not number(row, name) <= bound
    ]
    if problem.tol is None:
        ratio = number(row, "estimate of unknown") / number(row, "unknown")
        if not 1 / FACTOR <= ratio <= FACTOR:
            found.append(f"estimate of unknown {ratio:.3g} times its error")
    return found


def claims_too_much(row: Row) -> bool:
    """Whether a row is called reached and has a true error of more than ten times its tolerance.

    Example:
        >>> row = {"tol": "1e-8", "error": "2e-7", "unknown": "", "status": "reached"}
        >>> claims_too_much(row), claims_too_much(row | {"status": "the time limit"})
        (True, False)
    """
    errors = [number(row, "error"), *([number(row, "unknown")] if row.get("unknown") else [])]
    return row["status"] == "reached" and not all(error <= CLAIM * number(row, "tol") for error in errors)


def says_where(problem: Problem, row: Row) -> bool:
    """Whether a row is not reached and names a place, as "at x = 0.1, y = 0.2" or "found up to 0.3", of its inputs.

    Example:
        >>> from experiments.tolerance import PROBLEMS
        >>> corner = PROBLEMS["L-shape"]
        >>> says_where(corner, {"status": "1600 features do not resolve the solution at x = 0.001, y = -0.002"})
        True
        >>> says_where(corner, {"status": "the time limit"})
        False
    """
    names = "|".join(re.escape(name) for name in problem.equation().inputs)
    value = r"-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\b"
    place = re.search(rf"\b({names}) = {value}|\bfound up to {value}", row["status"])
    return row["status"] != "reached" and place is not None


def within(problems: Mapping[str, Problem], rows: Sequence[Row]) -> list[str]:
    """The names of the problems that are within their bounds in every seed that was run, and were run at all.

    Args:
        problems: The problems by name.
        rows: Rows of any seeds.
    """
    return [
        name
        for name, problem in problems.items()
        if (own := of(name, rows)) and not any(beyond(problem, row) for row in own)
    ]


def of(name: str, rows: Iterable[Row]) -> list[Row]:
    """The rows of a problem, by seed."""
    return sorted((row for row in rows if row["problem"] == name), key=lambda row: int(row["seed"]))


def worst(rows: Iterable[Row], column: str) -> float:
    """The largest number of a column; NaN where a row has none, so that a number that lacks does not hide."""
    values = [number(row, column) for row in rows]
    return math.nan if any(map(math.isnan, values)) else max(values)
