"""Measurements from a file: given points with columns of data, in the units of the equation."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pinnlab.construction import Constructed
from pinnlab.data.columns import read_columns
from pinnlab.data.delimited import MissingValueError
from pinnlab.data.units import converted
from pinnlab.errors import UserError
from pinnlab.geometry import PointSet

Array = npt.NDArray[Any]

# Files whose columns are kept: an equation makes its constraints anew at each evaluation.
_KEPT = 8


class Measurements(Constructed, PointSet):
    r"""Given points with data from a file: CSV, NPZ, or points of a VTK file.

    A relative path is one from the working folder. The file is read where the object is made. A run's record has its
    checksum, and whoever loads or continues the run is told if the file has changed since.

    Attributes:
        path: The file.
        checksum: The SHA-256 of its content.
        dropped: How many rows were left out, because a value is missing.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "rod.csv").write_text("place,T,sigma\n0,20,0.5\n50,30,1\n")
        ...     measured = Measurements(
        ...         f"{folder}/rod.csv",
        ...         columns={"x": "place", "m": "T", "sigma": "sigma"},
        ...         units={"x": "mm", "m": "degC", "sigma": "degC"},
        ...         noise="sigma",
        ...     )
        >>> {name: column.tolist() for name, column in measured.columns.items()}
        {'x': [0.0, 0.05], 'm': [293.15, 303.15], 'sigma': [0.5, 1.0]}
    """

    def __init__(
        self,
        path: str,
        columns: dict[str, str] | list[str] | None = None,
        units: dict[str, str] | None = None,
        noise: str | None = None,
        missing: Literal["refuse", "drop"] = "refuse",
    ) -> None:
        """Reads the file.

        Args:
            path: The file: .csv, .txt, .tsv or .dat with names in the first line, .npz, or .vtu, .vtp, .vtk and their
                like; see `pinnlab.data.read_columns`.
            columns: The columns that are used: their names, or name in the equation -> name in the file. All of the
                file by default. Columns x.0, x.1, … are one vector x.
            units: Column -> its unit in the file, such as `{"x": "mm", "T": "degC"}`, for all of the columns; `"1"`
                where it has none. Values are converted to SI, or to the unit behind an arrow: `"degF -> degC"`. Without
                units values are as they are in the file.
            noise: The column with the standard deviation σ of each measurement. The rows of a constraint on these
                points are divided by it, so that exact measurements count more.
            missing: What becomes of rows where a value is missing: an empty cell, NaN, NA, N/A, null or none. They are
                refused, or left out (`drop`), which a line in the log of `pinnlab` says.

        Raises:
            UserError: naming file, line and column: if it cannot be read, a column or unit is missing or wrong, a value
                is no finite number, or a standard deviation is not positive.
        """
        self.path = Path(path)
        if missing not in ("refuse", "drop"):
            raise UserError(f"{path}: missing is 'refuse' or 'drop', not {missing!r}")
        chosen = _chosen(columns, path)
        names = None if chosen is None else tuple(chosen.values())
        self.checksum = _checksum(self.path)
        read, self.dropped = _read(self.path, self.checksum, names, missing == "drop")
        found = read if chosen is None else {name: read[source] for name, source in chosen.items()}
        if noise is not None and noise not in found:
            raise UserError(f"{path} has no column {noise!r} for the noise: the columns are {', '.join(found)}")
        if units is not None:
            found = _in_units(found, units, noise, path)
        if noise is not None and not bool((found[noise] > 0).all()):
            row = int(np.flatnonzero(~(found[noise] > 0))[0])
            raise UserError(
                f"{path}: {noise} is a standard deviation and must be positive, and in row {row + 1} of the values it "
                f"is {found[noise][row]:g}"
            )
        super().__init__(**_vectors(found))
        self.noise = noise

    def __repr__(self) -> str:
        """The file and the columns."""
        return f"Measurements({str(self.path)!r}: {int(self.measure)} points of {', '.join(self.names)})"


def _chosen(columns: Mapping[str, str] | Sequence[str] | None, path: str) -> dict[str, str] | None:
    """Name in the equation -> name in the file."""
    if columns is None:
        return None
    chosen = dict(columns) if isinstance(columns, Mapping) else {name: name for name in columns}
    if isinstance(columns, str) or not chosen:
        raise UserError(f"{path}: columns are names, or a dictionary of names, as columns={{'x': 'place', 'm': 'T'}}")
    return chosen


def _checksum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except IsADirectoryError:
        raise UserError(f"{path} is a folder: give a file in it") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}, seen from the folder {Path.cwd()}") from None


@lru_cache(maxsize=_KEPT)
def _read(path: Path, checksum: str, names: tuple[str, ...] | None, drop: bool) -> tuple[Mapping[str, Array], int]:
    """The columns of a file of this checksum without the rows where a value is missing, and how many these were."""
    try:
        found = read_columns(path, names, missing=drop)
    except MissingValueError as error:
        raise UserError(f"{error}; missing='drop' leaves such rows out") from None
    whole = ~np.isnan(np.stack(list(found.values()))).any(0)
    if dropped := int((~whole).sum()):
        if not whole.any():
            raise UserError(f"{path}: a value is missing in every row")
        logging.getLogger("pinnlab").warning(
            "pinnlab: %s: a value is missing in %d of %d rows, which are left out", path, dropped, len(whole)
        )
    return {name: column[whole] for name, column in found.items()}, dropped


def _in_units(columns: Mapping[str, Array], units: Mapping[str, str], noise: str | None, path: str) -> dict[str, Array]:
    for name in units:
        if name not in columns:
            raise UserError(f"{path}: units has {name!r}, and the columns are {', '.join(columns)}")
    for name in columns:
        if name not in units:
            raise UserError(f"{path}: the column {name!r} has no unit; give it one in units, or '1' if it has none")
    return {
        name: converted(column, units[name], f"{path}, {name}", difference=name == noise)
        for name, column in columns.items()
    }


def _vectors(columns: Mapping[str, Array]) -> dict[str, Array]:
    """The columns, those of a vector `x.0`, `x.1`, … as one `(N, d)`."""
    found: dict[str, Array] = {}
    for name, column in columns.items():
        match = re.fullmatch(r"(.+)\.(\d+)", name)
        if match is None:
            found[name] = column
        elif match[2] == "0":
            count = 1
            while f"{match[1]}.{count}" in columns:
                count += 1
            found[match[1]] = np.stack([columns[f"{match[1]}.{i}"] for i in range(count)], -1)
    return found
