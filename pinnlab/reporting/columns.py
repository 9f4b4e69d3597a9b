"""Columns of numbers from files that spreadsheets and programs write: CSV of any dialect, and NPZ."""

from __future__ import annotations

import csv
import math
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnlab.errors import UserError
from pinnlab.reporting.text import read_text

Array = npt.NDArray[Any]

_TEXT = ("", ".csv", ".txt", ".tsv", ".dat")
_DELIMITERS = ";\t,"
"""Delimiters of columns, tried in this order: beside a semicolon or a tab, a comma is a decimal point."""


def read_columns(path: Path, names: Sequence[str]) -> dict[str, Array]:
    """Columns of finite numbers by name, each `(N,)`; further columns of the file are passed over.

    CSV has names in its first line. Columns are separated by commas, semicolons, tabs or, if there are none of these,
    blanks. If no commas separate them, a comma in a number is its decimal point. NPZ has arrays of one size each; a
    single number holds for all points, and one array `(N, dim)` may hold a vector x, whose columns are called `x.0`,
    `x.1`, ….

    Raises:
        UserError: naming the file and, for CSV, the line: if the file is of neither kind, has not all of the columns
            or no points, the columns differ in length, or an entry is no finite number.
    """
    if path.suffix not in (*_TEXT, ".npz"):
        raise UserError(f"{path}: points are read from CSV with names in the first line (.csv), or NPZ (.npz)")
    columns = _npz(path, names) if path.suffix == ".npz" else _csv(path, names)
    if not len(columns[names[0]]):
        raise UserError(f"{path} holds no points")
    return columns


def _csv(path: Path, names: Sequence[str]) -> dict[str, Array]:
    lines = [(number, line) for number, line in enumerate(read_text(path).splitlines(), 1) if line.strip()]
    if not lines:
        raise UserError(f"{path} is empty: points have the names of their columns in the first line")
    heading = lines[0][1].lstrip("# ")
    delimiter = next((mark for mark in _DELIMITERS if mark in heading), None)
    head = _cells(heading, delimiter)
    if all(_is_number(cell) for cell in head):
        raise UserError(f"{path}: the first line must name the columns, such as {','.join(names)}; it has {heading!r}")
    for name in names:
        if name not in head:
            raise UserError(f"{path} has no column {name!r}: it has {', '.join(head)}")
        if head.count(name) > 1:
            raise UserError(f"{path} has more than one column {name!r}")
    places = {name: head.index(name) for name in names}
    rows = []
    for number, line in lines[1:]:
        cells = _cells(line, delimiter)
        if len(cells) != len(head):
            raise UserError(f"{path}, line {number}: {len(cells)} cells where the first line names {len(head)} columns")
        rows.append([_number(cells[place], delimiter, f"{path}, line {number}, {n}") for n, place in places.items()])
    return dict(zip(names, np.array(rows, dtype=float).reshape(-1, len(names)).T, strict=True))


def _cells(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]


def _number(cell: str, delimiter: str | None, where: str) -> float:
    text = cell if delimiter == "," or "." in cell else cell.replace(",", ".")
    if not _is_number(text):
        raise UserError(f"{where}: {cell!r} is no number")
    value = float(text)
    if not math.isfinite(value):
        raise UserError(f"{where}: {cell} is not finite")
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _component(arrays: Mapping[str, Array], name: str) -> Array | None:
    """The array of a name; of a vector x, whose array is `(N, dim)`, the column `x.0`, `x.1`, …."""
    if name in arrays:
        return arrays[name]
    whole, _, index = name.rpartition(".")
    if whole not in arrays or arrays[whole].ndim != 2 or int(index) >= arrays[whole].shape[1]:
        return None
    return arrays[whole][:, int(index)]


def _npz(path: Path, names: Sequence[str]) -> dict[str, Array]:
    if not path.exists():
        raise UserError(f"{path}: No such file or directory")
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            has = list(arrays)
            found = {name: array for name in names if (array := _component(arrays, name)) is not None}
    except ValueError as error:
        if "pickle" in str(error) and zipfile.is_zipfile(path):
            raise UserError(f"{path}: an array holds objects: save numbers, as in array.astype(float)") from None
        raise UserError(f"{path} is damaged or no NPZ file") from None
    except (OSError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, pickle.UnpicklingError):
        raise UserError(f"{path} is damaged or no NPZ file") from None
    for name in names:
        if name not in found:
            raise UserError(f"{path} has no array {name!r}: it has {', '.join(has) or 'none'}")
        if found[name].dtype.kind not in "iuf":
            raise UserError(f"{path}: {name} must hold real numbers, not {found[name].dtype}")
        if not np.isfinite(found[name]).all():
            raise UserError(f"{path}: {name} has entries that are not finite")
    sizes = {name: array.size for name, array in found.items() if array.ndim}
    if len(set(sizes.values())) > 1:
        lengths = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise UserError(f"{path}: the columns differ in length: {lengths}")
    count = next(iter(sizes.values()), 1)
    return {name: np.broadcast_to(array.astype(float).ravel(), count).copy() for name, array in found.items()}
