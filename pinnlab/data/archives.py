"""Columns of numbers from NPZ files of numpy."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnlab.errors import UserError

Array = npt.NDArray[Any]


def read_npz(path: Path, names: Sequence[str] | None) -> dict[str, Array]:
    """Columns of numbers by name, each `(N,)`, NaN where a value is missing; see `read_columns`.

    Args:
        path: The file.
        names: The columns; all by default.

    Raises:
        UserError: naming the file and the array.
    """
    if not path.exists():
        raise UserError(f"{path}: No such file or directory")
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            has = list(arrays)
            names = [part for name in has for part in _parts(name, arrays[name])] if names is None else names
            found = {name: array for name in names if (array := _component(arrays, name)) is not None}
    except ValueError as error:
        if "pickle" in str(error) and zipfile.is_zipfile(path):
            raise UserError(f"{path}: an array holds objects: save numbers, as in array.astype(float)") from None
        raise UserError(f"{path} is damaged or no NPZ file") from None
    except (OSError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, pickle.UnpicklingError):
        raise UserError(f"{path} is damaged or no NPZ file") from None
    return one_length(path, names, found, has)


def one_length(path: Path, names: Sequence[str], found: Mapping[str, Array], has: Sequence[str]) -> dict[str, Array]:
    """The arrays of these names as columns of one length; a single number holds for all points.

    Args:
        path: The file, for messages.
        names: The arrays that are wanted.
        found: Those that there are.
        has: The names of all arrays of the file.

    Raises:
        UserError: if one is not there, holds no real numbers, or they differ in length.
    """
    for name in names:
        if name not in found:
            raise UserError(f"{path} has no array {name!r}: it has {', '.join(has) or 'none'}")
        if found[name].dtype.kind not in "iuf":
            raise UserError(f"{path}: {name} must hold real numbers, not {found[name].dtype}")
        if np.isinf(found[name]).any():
            raise UserError(f"{path}: {name} has entries that are not finite")
    sizes = {name: array.size for name, array in found.items() if array.ndim}
    if len(set(sizes.values())) > 1:
        lengths = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise UserError(f"{path}: the columns differ in length: {lengths}")
    count = next(iter(sizes.values()), 1)
    return {name: np.broadcast_to(array.astype(float).ravel(), count).copy() for name, array in found.items()}


def _parts(name: str, array: Array) -> Iterator[str]:
    """The names of an array's columns: `x.0`, `x.1`, … of `(N, d)` with d > 1."""
    vector = array.ndim == 2 and array.shape[1] > 1
    return (f"{name}.{i}" for i in range(array.shape[1])) if vector else iter([name])


def _component(arrays: Mapping[str, Array], name: str) -> Array | None:
    """The array of a name; of a vector x, whose array is `(N, dim)`, the column `x.0`, `x.1`, …."""
    if name in arrays:
        return arrays[name]
    whole, _, index = name.rpartition(".")
    if whole not in arrays or not index.isdigit():
        return None
    array = arrays[whole]
    return array[:, int(index)] if array.ndim == 2 and int(index) < array.shape[1] else None
