"""Values at points or on grids, as files: NPZ, CSV and the formats of VTK that ParaView and VisIt read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnlab.data.columns import read_columns
from pinnlab.data.vtk_writing import hidden_cells
from pinnlab.errors import UserError
from pinnlab.reporting.files import write_arrays
from pinnlab.solution.output.vtk_fields import ENDINGS, write_vtk

Array = npt.NDArray[Any]

FORMATS = (".npz", ".csv", ".vtk", *ENDINGS)
"""The endings of files that `write` knows."""


# vtkDataSetAttributes::HIDDENPOINT and HIDDENCELL
_HIDDEN_POINT, _HIDDEN_CELL = 2, 32


def axis(text: str) -> tuple[str, Array]:
    """One axis of a grid from `NAME=FIRST:LAST:COUNT`, `NAME=VALUE` or `NAME=VALUE,VALUE,…`.

    Raises:
        UserError: if it is not of one of these forms, or has no values or some that are not finite.
    """
    name, _, values = text.partition("=")
    try:
        match = re.fullmatch(r"([^:]+):([^:]+):(\d+)", values)
        numbers = [float(value) for value in (match.groups()[:2] if match else values.split(","))]
    except ValueError:
        raise UserError(f"{text!r} is no axis: write NAME=FIRST:LAST:COUNT or NAME=VALUE,VALUE,…") from None
    if not np.isfinite(numbers).all() or (match and int(match[3]) < 1):
        raise UserError(f"{text!r} is no axis: it needs at least one value, and finite ones")
    return name, np.linspace(numbers[0], numbers[1], int(match[3])) if match else np.array(numbers)


def tensor_product(axes: Mapping[str, Array]) -> dict[str, Array]:
    """The coordinates of all points of a grid, each of the shape of the axes' lengths."""
    return dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij"), strict=True))


def read_points(path: Path, inputs: Sequence[str]) -> dict[str, Array]:
    """The coordinates of points from a CSV or NPZ file, each `(N,)`, as `read_columns` takes them.

    The columns of a vector x are `x.0`, `x.1`, …; an NPZ file may have them as one array x, `(N, dim)`.

    Raises:
        UserError: if the file is of neither kind, lacks an input, or an entry is no finite number.
    """
    return read_columns(path, inputs)


def write(
    path: Path,
    coordinates: Mapping[str, Array],
    values: Mapping[str, Array],
    hidden: Array | None = None,
    time: str | None = None,
    vectors: Mapping[str, Array] | None = None,
) -> None:
    """Write coordinates and values at points of one shape; a shape of several dimensions is a grid to VTK.

    Vectors, of coordinates and of values, have their components along further dimensions. NPZ holds them so; CSV and
    VTK have a column for each, as `x.0`, `x.1`, ….

    Args:
        path: The file.
        coordinates: The inputs.
        values: Values by name; the first is of the shape of the points.
        hidden: Which points ParaView shall not show; booleans of the same shape.
        time: The coordinate that is the time, for a series (.pvd).
        vectors: Vectors `(…, 3)` by name, for VTK files in XML.

    Raises:
        UserError: if the ending is unknown, or VTK cannot have what is asked of it.
    """
    shape = next(iter(values.values())).shape
    if path.suffix == ".npz":
        write_arrays(path, {**coordinates, **values})
        return
    coordinates, values = scalars(coordinates, len(shape)), scalars(values, len(shape))
    columns = {**coordinates, **values}
    if path.suffix == ".csv":
        table = np.stack([column.ravel() for column in columns.values()], axis=-1)
        np.savetxt(path, table, fmt="%.17g", delimiter=",", header=",".join(columns), comments="")
    elif path.suffix == ".vtk":
        path.write_text(vtk(coordinates, values, hidden))
    elif path.suffix in ENDINGS:
        covered = np.zeros(shape, dtype=bool) if hidden is None else hidden
        write_vtk(path, coordinates, {**values, **(vectors or {})}, covered, time)
    else:
        raise UserError(f"{path}: choose a file name that ends in {', '.join(FORMATS)}")


def scalars(arrays: Mapping[str, Array], ndim: int) -> dict[str, Array]:
    """The components of arrays that have more dimensions than `ndim`, as `x.0`, `x.1`, ….; the others as they are."""
    return {
        ".".join([name, *map(str, index)]): array[(..., *index)]
        for name, array in arrays.items()
        for index in np.ndindex(array.shape[ndim:])
    }


def vtk(coordinates: Mapping[str, Array], values: Mapping[str, Array], hidden: Array | None = None) -> str:
    """Legacy VTK text: a structured grid where the coordinates are one, separate points otherwise.

    Hidden points, and the cells that have one as a corner, are marked in `vtkGhostType`, which leaves them blank.

    Raises:
        UserError: if there are more than three inputs, or a name that VTK cannot have.
    """
    if len(coordinates) > 3:
        raise UserError(f"VTK has three dimensions, not {len(coordinates)}: choose .npz or .csv")
    shape = next(iter(coordinates.values())).shape
    count = int(np.prod(shape))
    # VTK counts its first axis fastest
    flat = [column.ravel(order="F") for column in coordinates.values()]
    points = np.stack([*flat, *[np.zeros(count)] * (3 - len(flat))], axis=-1)
    lines = ["# vtk DataFile Version 3.0", f"pinnlab: {', '.join(coordinates)}", "ASCII"]
    if len(shape) == len(coordinates):
        size = [*shape, 1, 1][:3]
        lines += ["DATASET STRUCTURED_GRID", f"DIMENSIONS {size[0]} {size[1]} {size[2]}", f"POINTS {count} double"]
        lines += _rows(points)
        cells = None if hidden is None else hidden_cells(hidden)
    else:
        lines += ["DATASET POLYDATA", f"POINTS {count} double", *_rows(points)]
        lines += [f"VERTICES {count} {2 * count}", *(f"1 {number}" for number in range(count))]
        cells = hidden
    if cells is not None and cells.any():
        lines += [f"CELL_DATA {cells.size}", *_ghosts(cells, _HIDDEN_CELL)]
    lines.append(f"POINT_DATA {count}")
    for name, column in values.items():
        lines += [f"SCALARS {name} double 1", "LOOKUP_TABLE default", *_rows(column.ravel(order="F")[:, None])]
    if hidden is not None and hidden.any():
        lines += _ghosts(hidden, _HIDDEN_POINT)
    return "\n".join(lines) + "\n"


def _ghosts(hidden: Array, kind: int) -> list[str]:
    marks = (f"{kind * mark:d}" for mark in hidden.ravel(order="F"))
    return ["SCALARS vtkGhostType unsigned_char 1", "LOOKUP_TABLE default", *marks]


def _rows(table: Array) -> list[str]:
    return [" ".join(f"{number:.17g}" for number in row) for row in table]
