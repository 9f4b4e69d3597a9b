"""VTK files in XML, which ParaView and VisIt open: meshes, points and regular grids, and series of them in time."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_TYPES = {"f8": "Float64", "i8": "Int64", "u1": "UInt8"}
# The numbers of VTK's kinds of cells by the axes of a grid that have more than one point.
_CELLS = {0: 1, 1: 3, 2: 9, 3: 12}
_TRIANGLE, _VERTEX = 5, 1
# vtkDataSetAttributes::HIDDENPOINT and HIDDENCELL
_HIDDEN_POINT, _HIDDEN_CELL = 2, 32


def write_mesh(path: Path, points: Array, corners: Array, values: Mapping[str, Array]) -> None:
    """Write an unstructured mesh (.vtu).

    Args:
        path: The file.
        points: `(N, 3)`.
        corners: The corners of cells of one kind, `(C, 1)` points, `(C, 2)` lines, `(C, 3)` triangles, `(C, 4)`
            quadrilaterals or `(C, 8)` hexahedra.
        values: Name -> values at the points, `(N,)` or `(N, 3)`.
    """
    kind = {1: _VERTEX, 2: _CELLS[1], 3: _TRIANGLE, 4: _CELLS[2], 8: _CELLS[3]}[corners.shape[1]]
    count = len(corners)
    cells = [
        _array("connectivity", corners.ravel().astype("i8")),
        _array("offsets", np.arange(1, count + 1, dtype="i8") * corners.shape[1]),
        _array("types", np.full(count, kind, dtype="u1")),
    ]
    piece = [
        f'<Piece NumberOfPoints="{len(points)}" NumberOfCells="{count}">',
        *_section("PointData", [_array(name, column) for name, column in values.items()]),
        *_section("Points", [_array("Points", points)]),
        *_section("Cells", cells),
        "</Piece>",
    ]
    _write(path, "UnstructuredGrid", "<UnstructuredGrid>", piece)


def write_image(path: Path, axes: Sequence[Array], values: Mapping[str, Array], hidden: Array) -> None:
    """Write a grid of even steps (.vti).

    Args:
        path: The file.
        axes: The values of at most three axes, evenly spaced.
        values: Name -> values, of the shape of the axes' lengths, and `(…, 3)` for vectors.
        hidden: Which points are not shown, of that shape.
    """
    shape = [*(len(axis) for axis in axes), 1, 1][:3]
    origin = [*(axis[0] for axis in axes), 0.0, 0.0][:3]
    steps = [*((axis[-1] - axis[0]) / (len(axis) - 1) if len(axis) > 1 else 1.0 for axis in axes), 1.0, 1.0][:3]
    extent = quoteattr(" ".join(f"0 {count - 1}" for count in shape))
    numbers = {"Origin": origin, "Spacing": steps}
    places = " ".join(f'{name}="{" ".join(f"{x:.17g}" for x in each)}"' for name, each in numbers.items())
    columns = [_array(name, _first_fastest(column, hidden.ndim)) for name, column in values.items()]
    covered = []
    if hidden.any():
        columns.append(_array("vtkGhostType", (_HIDDEN_POINT * hidden.ravel(order="F")).astype("u1")))
        covered.append(_array("vtkGhostType", (_HIDDEN_CELL * hidden_cells(hidden).ravel(order="F")).astype("u1")))
    piece = [
        f"<Piece Extent={extent}>",
        *_section("PointData", columns),
        *_section("CellData", covered),
        "</Piece>",
    ]
    _write(path, "ImageData", f"<ImageData WholeExtent={extent} {places}>", piece)


def write_series(path: Path, files: Sequence[tuple[float, Path]]) -> None:
    """Write a series of files in time (.pvd).

    Args:
        path: The file.
        files: The times with their files, in the folder of the series or below.
    """
    sets = [
        f'<DataSet timestep="{time:.17g}" part="0" file={quoteattr(file.relative_to(path.parent).as_posix())}/>'
        for time, file in files
    ]
    _write(path, "Collection", "<Collection>", sets)


def grid_cells(shape: Sequence[int], hidden: Array | None = None) -> Array:
    """The corners of the cells of a grid of points, without cells that have a hidden corner.

    Points are numbered with the last axis fastest. Axes of one point do not count.

    Args:
        shape: How many points along each of at most three axes.
        hidden: Which points are hidden, of that shape.

    Example:
        >>> grid_cells((2, 3)).tolist()
        [[0, 3, 4, 1], [1, 4, 5, 2]]
    """
    number = np.arange(int(np.prod(shape))).reshape([count for count in shape if count > 1])
    if number.ndim == 0:
        corners = number.reshape(1, 1)
    else:
        parts = [number]
        for axis in range(number.ndim):
            first, last = ([np.take(part, range(i, part.shape[axis] - 1 + i), axis) for part in parts] for i in (0, 1))
            # VTK goes around a face, and then around the opposite one
            parts = [*first, *last] if axis == 0 else [*_around(first, last, axis)]
        corners = np.stack([part.ravel() for part in parts], 1)
    return corners if hidden is None else corners[~hidden.ravel()[corners].any(1)]


def _around(first: list[Array], last: list[Array], axis: int) -> list[Array]:
    """The corners of cells from those at both of their ends along an axis, in VTK's order."""
    return [*first, *reversed(last)] if axis == 1 else [*first, *last]


def hidden_cells(hidden: Array) -> Array:
    """The cells of a grid with a hidden corner; an axis of one point has one layer of cells."""
    for axis, length in enumerate(hidden.shape):
        if length > 1:
            first, last = (np.take(hidden, range(i, length - 1 + i), axis) for i in (0, 1))
            hidden = first | last
    return hidden


def _first_fastest(values: Array, axes: int) -> Array:
    """The values of a grid one after another with the first axis fastest, `(N,)`, or `(N, 3)` for vectors."""
    return values.transpose(*reversed(range(axes)), *range(axes, values.ndim)).reshape(-1, *values.shape[axes:])


def _section(name: str, arrays: Sequence[str]) -> list[str]:
    return [f"<{name}>", *arrays, f"</{name}>"]


def _array(name: str, values: Array) -> str:
    """One array in base64, with the number of its bytes before them."""
    values = np.ascontiguousarray(values if values.dtype.kind in "iu" else values.astype("f8"))
    kind = _TYPES[values.dtype.str[1:]]
    parts = values.shape[1] if values.ndim > 1 else 1
    content = values.astype(values.dtype.newbyteorder("<")).tobytes()
    text = base64.b64encode(np.uint64(len(content)).astype("<u8").tobytes() + content).decode()
    head = f'<DataArray type="{kind}" Name={quoteattr(name)} NumberOfComponents="{parts}" format="binary">'
    return f"{head}{text}</DataArray>"


def _write(path: Path, kind: str, opening: str, lines: Sequence[str]) -> None:
    head = f'<VTKFile type="{kind}" version="1.0" byte_order="LittleEndian" header_type="UInt64">'
    text = ['<?xml version="1.0"?>', head, opening, *lines, f"</{opening[1:].split(' ')[0].rstrip('>')}>", "</VTKFile>"]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
