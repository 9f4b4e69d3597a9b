"""Columns of numbers from text files that spreadsheets and programs write: CSV of any dialect."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnlab.errors import UserError
from pinnlab.text import read_text

Array = npt.NDArray[Any]

_DELIMITERS = ";\t,"
"""Delimiters of columns, tried in this order: beside a semicolon or a tab, a comma is a decimal point."""

_MISSING = frozenset(("", "nan", "na", "n/a", "null", "none"))
"""What programs write for a value that is missing, in small letters."""


class MissingValueError(UserError):
    """A value is missing where every row must have one."""


def read_csv(path: Path, names: Sequence[str] | None, missing: bool) -> dict[str, Array]:
    """Columns of finite numbers by name, each `(N,)`; see `read_columns`.

    Args:
        path: The file.
        names: The columns; all by default.
        missing: Whether a value may be missing; it is NaN then.

    Raises:
        UserError: naming the file and the line.
    """
    heading, lines = _lines(path)
    delimiter = _delimiter(heading)
    head = _cells(heading, delimiter)
    names = head if names is None else names
    for name in names:
        if name not in head:
            raise UserError(f"{path} has no column {name!r}: it has {', '.join(head)}")
        if head.count(name) > 1:
            raise UserError(f"{path} has more than one column {name!r}")
    rows = []
    for number, line in lines:
        cells = _cells(line, delimiter)
        if len(cells) != len(head):
            raise UserError(f"{path}, line {number}: {len(cells)} cells where the first line names {len(head)} columns")
        rows.append(cells)
    numbers = [number for number, _ in lines]
    found = {}
    for name in names:
        place = head.index(name)
        found[name] = _column([cells[place] for cells in rows], numbers, delimiter, f"{path}, line", name, missing)
    return found


def _lines(path: Path) -> tuple[str, list[tuple[int, str]]]:
    """The line with the names of the columns, and the numbered lines of values; comments begin with #.

    The names are in the first line that is no comment or, where that has values, in the last comment before it.
    """
    every = [(number, line) for number, line in enumerate(read_text(path).splitlines(), 1) if line.strip()]
    if not every:
        raise UserError(f"{path} is empty: points have the names of their columns in the first line")
    lines = [(number, line) for number, line in every if not line.lstrip().startswith("#")]
    first = lines[0][0] if lines else every[-1][0] + 1
    comments = [line for number, line in every if number < first]
    if lines and not _has_values(lines[0][1]):
        return lines[0][1], lines[1:]
    heading = comments[-1].lstrip("# ") if comments else ""
    delimiter = _delimiter(heading)
    if lines and len(_cells(heading, delimiter)) != len(_cells(lines[0][1], delimiter)):
        raise UserError(f"{path}: the first line must name the columns, such as t,x,u; it has {lines[0][1]!r}")
    return heading, lines


def _delimiter(line: str) -> str | None:
    return next((mark for mark in _DELIMITERS if mark in line), None)


def _has_values(line: str) -> bool:
    """Whether a line has nothing but numbers, and perhaps missing ones."""
    delimiter = _delimiter(line)
    cells = [cell for cell in _cells(line, delimiter) if cell.lower() not in _MISSING]
    return bool(cells) and all(_is_number(_pointed(cell, delimiter)) for cell in cells)


def _cells(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]


def _column(
    cells: list[str], lines: Sequence[int], delimiter: str | None, where: str, name: str, missing: bool
) -> Array:
    if delimiter != ",":
        cells = [_pointed(cell, delimiter) for cell in cells]
    try:
        found = np.array(cells, dtype=float)
    except ValueError:
        found = np.array([_number(cell, f"{where} {n}, {name}") for cell, n in zip(cells, lines, strict=True)])
    for place in np.flatnonzero(~np.isfinite(found)).tolist():
        absent = cells[place].lower() in _MISSING
        if not (absent and missing):
            at = f"{where} {lines[place]}, {name}"
            if absent:
                raise MissingValueError(f"{at}: the value is missing")
            raise UserError(f"{at}: {cells[place]} is not finite")
    return found


def _pointed(cell: str, delimiter: str | None) -> str:
    """A number with a decimal point, where a comma may stand for it."""
    return cell if delimiter == "," or "." in cell else cell.replace(",", ".")


def _number(cell: str, where: str) -> float:
    if cell.lower() in _MISSING:
        return float("nan")
    if not _is_number(cell):
        raise UserError(f"{where}: {cell!r} is no number")
    return float(cell)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
