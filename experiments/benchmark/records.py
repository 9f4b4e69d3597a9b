"""The published records: relative L2 errors with their sources, and the configurations here that solve the same."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("records.csv")


@dataclass(frozen=True)
class Record:
    """A problem of the field, and the least error that was published.

    Attributes:
        problem: The problem, in words.
        error: Its relative L2 error.
        source: Who reached it.
        means: With what, and in which time, where that is published.
        configurations: Those here, as `waves/wave`; none where the catalogue does not have the problem.
        outputs: The outputs that the error is of; all if there are none.
        limit: What limits the result here, or why there is none.
    """

    problem: str
    error: float
    source: str
    means: str
    configurations: tuple[str, ...]
    outputs: tuple[str, ...]
    limit: str


def records(file: Path = FILE) -> list[Record]:
    """All records, in the order of the file.

    Example:
        >>> records()[0].configurations
        ('parabolic/viscous_burgers', 'viscous_burgers/gauss_newton')
    """
    with file.open(newline="", encoding="utf-8") as lines:
        return [
            Record(
                row["problem"], float(row["error"]), row["source"], row["means"], tuple(row["configurations"].split()),
                tuple(row["outputs"].split()), row["limit"],
            )
            for row in csv.DictReader(lines)
        ]  # fmt: skip
