"""Tables that grow by a row at a time, each from a process of its own: a script may be stopped, and run by parts.

A row is a dictionary of strings, as a CSV file has them. A script that measures is called by itself with `--one`, and
prints its row as the last line:

    table = Table(path, ("problem", "seed", "error"), key=("problem", "seed"))
    table.measure("experiments.tolerance", ("Lorenz", 0), ["--one", "Lorenz", "--seeds", "0"])
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = Mapping[str, str]

RESULTS = Path("experiments/results")
"""Where tables and figures are, from the root of the repository."""


def number(row: Row, column: str) -> float:
    """A number of a row; NaN where the row has none.

    Example:
        >>> number({"error": "1e-3", "unknown": ""}, "error"), number({"error": "1e-3"}, "unknown")
        (0.001, nan)
    """
    return float(row.get(column) or math.nan)


def printed(row: Mapping[str, object]) -> None:
    """Prints a row for the process that asked for it: by `Table.measure`."""
    print(json.dumps({name: str(value) for name, value in row.items()}))


def scientific(value: float | None) -> str:
    """A number with three digits; empty for None.

    Example:
        >>> scientific(0.000123456), scientific(None)
        ('1.23e-04', '')
    """
    return "" if value is None else f"{value:.2e}"


def named(parser: argparse.ArgumentParser, names: Sequence[str], known: Collection[str]) -> list[str]:
    """The names that were given, or all that there are; a name that there is not ends the script in one line."""
    for name in names:
        if name not in known:
            parser.error(f"there is no problem {name!r}: there are {', '.join(known)}")
    return list(names or known)


@dataclass(frozen=True)
class Table:
    """A CSV file whose rows are known by some of their columns.

    Attributes:
        path: The file, which need not exist.
        columns: Its columns. One that the file lacks is empty.
        key: The columns that say which row it is.
    """

    path: Path
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def rows(self) -> list[Row]:
        """All rows; none where there is no file."""
        if not self.path.exists():
            return []
        with self.path.open(newline="") as file:
            return [{name: row.get(name) or "" for name in self.columns} for row in csv.DictReader(file)]

    def find(self, *key: object) -> Row | None:
        """The row of a key, if there is one."""
        wanted = [str(part) for part in key]
        return next((row for row in self.rows() if [row[name] for name in self.key] == wanted), None)

    def measure(self, module: str, key: Iterable[object], arguments: Sequence[str]) -> None:
        """Adds and prints the row that a script prints as its last line, unless the file has it already.

        Args:
            module: The script, run as `python -m`.
            key: The key of the row.
            arguments: The arguments of the script.

        Raises:
            SystemExit: if the script fails; what it says is on the screen.
        """
        key = tuple(key)
        if self.find(*key) is not None:
            return
        done = subprocess.run([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"{', '.join(map(str, key))}: python -m {module} failed")
        self.add(json.loads(done.stdout.splitlines()[-1]))

    def add(self, row: Mapping[str, object]) -> None:
        """Adds a row to the file, and prints it."""
        strings = {column: str(row[column]) for column in self.columns}
        self._write([*self.rows(), strings])
        print("  ".join(strings.values()), flush=True)

    def _write(self, rows: Sequence[Row]) -> None:
        """Writes all rows beside the file and moves them there: one that is stopped leaves the former table whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        with new.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(rows)
        os.replace(new, self.path)
