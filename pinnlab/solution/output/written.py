"""Values of a solution as a file: on a grid over the whole region, on a mesh of it, or at given points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pinnlab.data.vtk_writing import write_mesh
from pinnlab.equations import Equation
from pinnlab.equations.constraints import domain
from pinnlab.equations.inputs import axis_names, by_axis, from_axes
from pinnlab.errors import UserError
from pinnlab.reporting.coordinates import flat
from pinnlab.reporting.figures.space.mesh import lattice, triangles
from pinnlab.solution.output.grids import FORMATS, scalars, tensor_product, write
from pinnlab.solution.output.pictures import time_of
from pinnlab.solution.output.vtk_fields import places

if TYPE_CHECKING:
    from pinnlab.solution.solution import Solution

Array = npt.NDArray[Any]

_PER_AXIS = {1: 1001, 2: 201, 3: 41}
_MOST = 10_000_000
_SHOWN = 8


@dataclass(frozen=True)
class Written:
    """What a file has.

    Attributes:
        names: Outputs and derivatives.
        size: The number of points.
        beyond: How many of them lie outside of the region.
    """

    names: tuple[str, ...]
    size: int
    beyond: int


def check_format(path: Path) -> None:
    """Makes sure that a file's name says what it is.

    Raises:
        UserError: if it does not.
    """
    if path.suffix not in FORMATS:
        raise UserError(f"{path}: choose a file name that ends in {', '.join(FORMATS)}")


def write_solution(
    solution: Solution,
    path: Path,
    names: Sequence[str] = (),
    coordinates: Mapping[str, npt.ArrayLike] | None = None,
    vectors: Mapping[str, Sequence[str]] | None = None,
    extrapolate: bool = False,
) -> Written:
    """Write outputs and derivatives; see `Solution.write`."""
    check_format(path)
    equation = solution.model.equation
    if not coordinates and path.suffix == ".vtu" and _has_mesh(equation):
        return _on_mesh(solution, path, names, vectors or {})
    given = coordinates or from_axes(whole_grid(equation), equation.inputs)
    values = solution.evaluate(*names, **given)
    beyond = solution.outside(**given)
    columns, shape = flat(equation, given)
    whole = {name: column.reshape((*shape, *column.shape[1:])) for name, column in columns.items()}
    if not extrapolate:
        values = {
            name: np.where(beyond.reshape(beyond.shape + (1,) * (column.ndim - beyond.ndim)), np.nan, column)
            for name, column in values.items()
        }
    hidden = np.zeros_like(beyond) if extrapolate else beyond
    write(path, whole, values, hidden, time_of(equation), _vectors(vectors or {}, scalars(values, beyond.ndim), path))
    return Written(tuple(values), beyond.size, int(beyond.sum()))


def whole_grid(equation: Equation, given: Mapping[str, Array] | None = None) -> dict[str, Array]:
    """A grid over the whole region, or over given axes: coordinates by axis, each of the shape of the axes' lengths.

    Raises:
        UserError: if a given axis is none of the equation's, or there would be too many points.
    """
    names, axes = axis_names(equation.inputs), dict(given or {})
    unknown = [name for name in axes if name not in names]
    if unknown:
        raise UserError(f"{equation.name} has no input {unknown[0]!r}; its inputs are {', '.join(names[:_SHOWN])}")
    if len(axes) < len(names):
        constraints = equation.constraints()
        extent = constraints[domain(constraints)].region.extent
        lower, upper = (by_axis({n: extent[n][end] for n in equation.inputs}, equation.inputs) for end in (0, 1))
        count = _PER_AXIS.get(len(names), 11)
        for name in names:
            if name not in axes:
                axes[name] = np.linspace(float(lower[name]), float(upper[name]), count)
    size = math.prod(len(values) for values in axes.values())
    if size > _MOST:
        raise UserError(
            f"a grid over {len(names)} axes would have {size:.0e} points: give single values, as "
            f"--grid {names[0]}=0.5, or --points"
        )
    return tensor_product({name: axes[name] for name in names})


def _has_mesh(equation: Equation) -> bool:
    """Whether the region is one in the plane, which has a mesh that fits it."""
    constraints = equation.constraints()
    region = constraints[domain(constraints)].region.hull
    return len(equation.inputs) == equation.dimension == region.dimension == 2 and time_of(equation) is None


def _on_mesh(solution: Solution, path: Path, names: Sequence[str], vectors: Mapping[str, Sequence[str]]) -> Written:
    equation = solution.model.equation
    constraints = equation.constraints()
    region = constraints[domain(constraints)].region.hull
    points = lattice(region, _PER_AXIS[2] ** 2)
    coordinates = {name: points[name].numpy().astype(float) for name in equation.inputs}
    values = solution.evaluate(*names, **coordinates)
    columns = scalars(values, 1)
    write_mesh(path, places(coordinates), triangles(region, points), columns | _vectors(vectors, columns, path))
    return Written(tuple(values), len(next(iter(coordinates.values()))), 0)


def _vectors(vectors: Mapping[str, Sequence[str]], values: Mapping[str, Array], path: Path) -> dict[str, Array]:
    """The vectors `(…, 3)` of these components, with zeros for those that there are not."""
    found = {}
    for name, parts in vectors.items():
        if path.suffix not in (".vtu", ".pvd", ".vti"):
            raise UserError(f"{path}: vectors are for .vtu, .vti and .pvd; other files have their components")
        for part in parts:
            if part not in values:
                raise UserError(f"the vector {name} has the component {part!r}, which is none of {', '.join(values)}")
        if isinstance(parts, str) or not 1 <= len(parts) <= 3:
            raise UserError(f"the vector {name} needs one to three components, as {name}=('u', 'v'); got {parts!r}")
        zero = [np.zeros_like(values[parts[0]])] * (3 - len(parts))
        found[name] = np.stack([*(values[part] for part in parts), *zero], -1)
    return found
