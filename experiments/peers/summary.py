"""The table of what was measured beside DeepXDE, and on how many examples pinnlab is ahead by a factor of 100 in error.

Errors are relative L2 errors. Of DeepXDE's the least of all looks counts, where a user could not choose the moment: up
to the first look after pinnlab's seconds, and up to its end. The factor is the second one over pinnlab's error.

    python -m experiments.peers.summary [--table FILE]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from experiments.peers.__main__ import COLUMNS, DEEPXDE, KEY, LOOSE, TABLE
from experiments.peers.examples import EXAMPLES, TOL
from experiments.tolerance.rows import Row, Table, number
from experiments.tolerance.summary import line

HEAD = (
    "example", "its settings", "pinnlab", "s", "DeepXDE then", "DeepXDE", "s", "ended by", "factor",
    "s to DeepXDE's error: pinnlab", "DeepXDE",
)  # fmt: skip
AHEAD = 100.0
NONE = "–"


def main() -> None:
    """Prints the table and the count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=TABLE)
    print("\n".join(told(Table(parser.parse_args().table, COLUMNS, KEY).rows())))


def told(rows: Sequence[Row]) -> list[str]:
    """The lines of the table, and of the counts."""
    programs = {name: {row["program"]: row for row in rows if row["example"] == name} for name in EXAMPLES}
    measured = {name: found for name, found in programs.items() if {_named(TOL), DEEPXDE} <= found.keys()}
    lines = [line(HEAD), "|" + "---|" * len(HEAD)]
    lines += [line(cells(name, found)) for name, found in measured.items()]
    for words, least in (("at DeepXDE's end", at_its_end), ("at equal seconds", at_equal_seconds)):
        ahead = [name for name, found in measured.items() if factor(found, least) >= AHEAD]
        behind = [f"{name} ({factor(found, least):.2g})" for name, found in measured.items() if name not in ahead]
        others = f"; not on {', '.join(behind)}" if behind else ""
        lines += [
            "",
            f"pinnlab is ahead by a factor of {AHEAD:g} or more {words} on {len(ahead)} of {len(measured)}{others}.",
        ]
    lacking = [name for name in EXAMPLES if name not in measured]
    return lines + ([f"Not run yet: {', '.join(lacking)}."] if lacking else [])


def cells(name: str, found: dict[str, Row]) -> list[str]:
    """The cells of an example, from its rows by program."""
    ours, theirs = found[_named(TOL)], found[DEEPXDE]
    reached = "" if ours["ended"] == "reached" else f" ({ours['ended']})"
    same = ours_to(found, at_its_end(found))
    return [
        name, EXAMPLES[name].settings, f"{number(ours, 'l2'):.1e}{reached}", f"{number(ours, 'seconds'):.1f}",
        f"{at_equal_seconds(found):.1e}", f"{at_its_end(found):.1e}", f"{number(theirs, 'seconds'):.0f}",
        theirs["ended"], f"{factor(found, at_its_end):.1e}", NONE if same is None else f"{same:.1f}",
        f"{theirs_to(found, at_its_end(found)):.0f}",
    ]  # fmt: skip


def factor(found: dict[str, Row], least) -> float:
    """DeepXDE's error, which one `least` says, over pinnlab's."""
    return least(found) / number(found[_named(TOL)], "l2")


def at_its_end(found: dict[str, Row]) -> float:
    """The least error of DeepXDE."""
    return min(error for _, error in looks(found[DEEPXDE]))


def at_equal_seconds(found: dict[str, Row]) -> float:
    """The least error of DeepXDE up to the first look after the seconds of pinnlab's solve."""
    seconds = number(found[_named(TOL)], "seconds")
    curve = looks(found[DEEPXDE])
    until = next((at for at, _ in curve if at >= seconds), math.inf)
    return min(error for at, error in curve if at <= until)


def ours_to(found: dict[str, Row], error: float) -> float | None:
    """The seconds of pinnlab's fastest solve with at most this error; None if there is none."""
    rows = [found[name] for name in map(_named, (TOL, LOOSE)) if name in found]
    return min((number(row, "seconds") for row in rows if number(row, "l2") <= error), default=None)


def theirs_to(found: dict[str, Row], error: float) -> float:
    """The seconds of DeepXDE's first look with at most this error."""
    return next(at for at, here in looks(found[DEEPXDE]) if here <= error)


def looks(row: Row) -> list[tuple[float, float]]:
    """Seconds and errors of a curve.

    Example:
        >>> looks({"curve": "0.5:9.000e-01 1:8.000e-01"})
        [(0.5, 0.9), (1.0, 0.8)]
    """
    pairs = (pair.split(":") for pair in row["curve"].split())
    return [(float(seconds), float(error)) for seconds, error in pairs]


def _named(tol: float) -> str:
    return f"pinnlab {tol:.0e}"


if __name__ == "__main__":
    main()
