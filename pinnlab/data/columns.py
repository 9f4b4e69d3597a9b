"""Columns of numbers from files: CSV of any dialect, NPZ, and points of VTK files with their data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnlab.data.archives import read_npz
from pinnlab.data.delimited import MissingValueError, read_csv
from pinnlab.data.vtk_points import ENDINGS, read_vtk
from pinnlab.errors import UserError

Array = npt.NDArray[Any]

_TEXT = ("", ".csv", ".txt", ".tsv", ".dat")


def read_columns(path: Path, names: Sequence[str] | None = None, missing: bool = False) -> dict[str, Array]:
    """Columns of finite numbers by name, each `(N,)`; columns that are not asked for are passed over.

    - CSV has names in its first line. Columns are separated by commas, semicolons, tabs or, where there are none of
      these, blanks; where they are not separated by commas, a comma in a number is its decimal point. Lines that begin
      with # are comments; where no other line has names, those in the last comment before the numbers count.
    - NPZ has arrays of one size each; a single number holds for all points, and one array `(N, dim)` may hold a vector
      x, whose columns are called `x.0`, `x.1`, ….
    - VTK files (.vtu, .vtp, .vti, .vts, .vtr, .vtk) have the coordinates x, y, z of points, and data there.

    Args:
        path: The file.
        names: The columns; all by default.
        missing: Whether a value may be missing: an empty cell, NaN, NA, N/A, null or none. It is NaN then.

    Raises:
        UserError: naming the file and, for CSV, the line: if the file is of no such kind, has not all of the columns
            or no points, the columns differ in length, or an entry is no finite number.
        MissingValueError: if a value is missing, and must not be.
    """
    if path.suffix == ".npz":
        columns = read_npz(path, names)
    elif path.suffix in ENDINGS:
        columns = read_vtk(path, names)
    elif path.suffix in _TEXT:
        columns = read_csv(path, names, missing)
    else:
        kinds = "CSV with names in the first line (.csv), NPZ (.npz) or VTK (.vtu, .vtp, .vtk, …)"
        raise UserError(f"{path}: points are read from {kinds}")
    if not columns or not len(next(iter(columns.values()))):
        raise UserError(f"{path} holds no points")
    for name, column in columns.items():
        if not missing and np.isnan(column).any():
            row = int(np.flatnonzero(np.isnan(column))[0])
            raise MissingValueError(f"{path}, row {row + 1}, {name}: the value is missing")
    return columns
