"""Points with their data from VTK files, of simulations or of other programs, by the library of VTK."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnlab.data.archives import one_length
from pinnlab.errors import UserError

Array = npt.NDArray[Any]

ENDINGS = (".vtk", ".vtu", ".vtp", ".vti", ".vts", ".vtr")
"""Legacy files, and XML files of meshes, point sets and grids."""


def read_vtk(path: Path, names: Sequence[str] | None) -> dict[str, Array]:
    """Coordinates x, y, z of points and the data there, each `(N,)`; a vector v has the columns `v.0`, `v.1`, ….

    Args:
        path: The file.
        names: The columns; all by default.

    Raises:
        UserError: if the library is not installed, there is no such file, it cannot be read, or it lacks a column.
    """
    columns = _columns(path)
    has = list(columns)
    names = has if names is None else names
    return one_length(path, names, {name: columns[name] for name in names if name in columns}, has)


def _columns(path: Path) -> dict[str, Array]:
    data = _read(path)
    try:
        points = _array(data.GetPoints().GetData())
    except AttributeError:  # a grid that is given by its axes
        points = np.array([data.GetPoint(i) for i in range(data.GetNumberOfPoints())]).reshape(-1, 3)
    found = {name: points[:, i] for i, name in enumerate("xyz")}
    every = data.GetPointData()
    for number in range(every.GetNumberOfArrays()):
        if (array := every.GetArray(number)) is None or array.GetName() == "vtkGhostType":
            continue
        values = _array(array)
        parts = {array.GetName(): values} if values.ndim == 1 else _components(array.GetName(), values)
        for name, column in parts.items():
            if name in found:
                raise UserError(f"{path} has more than one column {name!r}")
            found[name] = column
    return found


def _components(name: str, values: Array) -> dict[str, Array]:
    return {f"{name}.{i}": values[:, i] for i in range(values.shape[1])}


def _array(array: Any) -> Array:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    return np.array(vtk_to_numpy(array))


def _read(path: Path) -> Any:
    """The data set of a file, with what the library complains of in one line."""
    if not path.is_file():
        raise UserError(f"{path} is a folder: give a file in it" if path.is_dir() else f"{path}: no such file")
    try:
        from vtkmodules.vtkIOLegacy import vtkGenericDataObjectReader
        from vtkmodules.vtkIOXML import vtkXMLGenericDataObjectReader
    except ImportError:
        raise UserError(f"{path}: VTK files are read by the library vtk: pip install 'pinnlab[vtk]'") from None
    reader = vtkGenericDataObjectReader() if path.suffix == ".vtk" else vtkXMLGenericDataObjectReader()
    complaints: list[str] = []
    _watch(reader, complaints)
    reader.SetFileName(str(path))
    reader.Update()
    data = reader.GetOutput()
    if complaints or data is None or not hasattr(data, "GetPointData"):
        raise UserError(f"{path} is damaged or no VTK file of points")
    return data


def _watch(reader: Any, complaints: list[str]) -> None:
    """Collects errors, which the library would print."""

    def note(_: object, __: str, message: str) -> None:
        complaints.append(message)

    note.CallDataType = "string0"  # type: ignore[attr-defined]
    reader.AddObserver("ErrorEvent", note)
