"""Fields at points and on grids as VTK files in XML: meshes (.vtu), regular grids (.vti), series in time (.pvd)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnlab.data.vtk_writing import grid_cells, write_image, write_mesh, write_series
from pinnlab.errors import UserError

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

ENDINGS = (".vtu", ".vti", ".pvd")

# The relative difference of the steps of an axis that is rounding.
_EVEN = 1e-9


def write_vtk(path: Path, coordinates: Arrays, values: Arrays, hidden: Array, time: str | None) -> None:
    """Write scalar fields at points of one shape; a shape with a dimension for each coordinate is a grid.

    The coordinates are x, y and z of VTK in their order. Of more than three those that have one value are left out.

    Args:
        path: The file. A series has one .vtu file for each time in a folder of its name beside it.
        coordinates: The coordinates.
        values: The fields, `(…)`, or `(…, 3)` for vectors.
        hidden: Which points are not shown.
        time: The coordinate that is the time; None where there is none.

    Raises:
        UserError: if there are too many coordinates, no time for a series, or no even grid for .vti.
    """
    if path.suffix == ".pvd":
        _write_series(path, coordinates, values, hidden, time)
    elif path.suffix == ".vti":
        _write_image(path, *_in_space(path, coordinates, values, hidden))
    else:
        _write_mesh(path, *_in_space(path, coordinates, values, hidden))


def _write_mesh(path: Path, coordinates: Arrays, values: Arrays, hidden: Array) -> None:
    grid = hidden.ndim == len(coordinates)
    corners = grid_cells(hidden.shape, hidden) if grid else np.flatnonzero(~hidden.ravel())[:, None]
    flat = {name: column.reshape(hidden.size, *column.shape[hidden.ndim :]) for name, column in values.items()}
    write_mesh(path, places(coordinates), corners, flat)


def _write_image(path: Path, coordinates: Arrays, values: Arrays, hidden: Array) -> None:
    if hidden.ndim != len(coordinates):
        raise UserError(f"{path}: .vti is a grid, and these are single points: choose .vtu")
    axes = []
    for number, (name, column) in enumerate(coordinates.items()):
        axis = np.moveaxis(column, number, 0).reshape(hidden.shape[number], -1)
        steps = np.diff(axis[:, 0])
        even = len(steps) == 0 or (steps.min() > 0 and np.ptp(steps) <= _EVEN * np.abs(axis).max())
        if not even or (axis != axis[:, :1]).any():
            raise UserError(f"{path}: .vti is a grid of even steps along every axis, and {name} has none: choose .vtu")
        axes.append(axis[:, 0])
    write_image(path, axes, values, hidden)


def _write_series(path: Path, coordinates: Arrays, values: Arrays, hidden: Array, time: str | None) -> None:
    if time is None or time not in coordinates:
        raise UserError(f"{path}: .pvd is a series in time, and there is no time: choose .vtu")
    t, others = coordinates[time], {name: column for name, column in coordinates.items() if name != time}
    if not others:
        raise UserError(f"{path}: .pvd is a series in time of a field in space, and there is no space: choose .csv")
    times = np.unique(t)
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    digits, files = len(str(len(times))), []
    grid = t.ndim == len(coordinates)
    for number, value in enumerate(times.tolist()):
        if grid:
            at = list(coordinates).index(time)
            index = int(np.flatnonzero(np.moveaxis(t, at, 0).reshape(t.shape[at], -1)[:, 0] == value)[0])
            here: Any = (*[slice(None)] * at, index)
        else:
            here = t == value
        file = folder / f"{path.stem}_{number:0{digits}d}.vtu"
        place, field = ({name: column[here] for name, column in arrays.items()} for arrays in (others, values))
        _write_mesh(file, *_in_space(path, place, field, hidden[here]))
        files.append((value, file))
    write_series(path, files)


def _in_space(path: Path, coordinates: Arrays, values: Arrays, hidden: Array) -> tuple[Arrays, Arrays, Array]:
    """The same with three coordinates at most."""
    while len(coordinates) > 3:
        number = next((i for i, c in enumerate(coordinates.values()) if np.ptp(c) == 0), None)
        if number is None:
            raise UserError(
                f"{path}: VTK has three dimensions, not {len(coordinates)} ({', '.join(coordinates)}): give single "
                "values, as --grid t=0.5, take .pvd for a time, or choose .npz or .csv"
            )
        left_out = list(coordinates)[number]
        grid = hidden.ndim == len(coordinates)
        here: Any = (*[slice(None)] * number, 0) if grid else slice(None)
        coordinates = {name: column[here] for name, column in coordinates.items() if name != left_out}
        values, hidden = {name: column[here] for name, column in values.items()}, hidden[here]
    return coordinates, values, hidden


def places(coordinates: Arrays) -> Array:
    """Points `(N, 3)` of at most three coordinates, the others 0."""
    flat = [column.ravel() for column in coordinates.values()]
    return np.stack([*flat, *[np.zeros(len(flat[0]))] * (3 - len(flat))], axis=-1)
