"""Arguments and results of a residual: named columns, coordinates and fields, and its components."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from torch import Tensor

from pinnlab.equations.inputs import Vector
from pinnlab.errors import UserError
from pinnlab.geometry import Points
from pinnlab.jets import Field
from pinnlab.jets.values import Values

if TYPE_CHECKING:
    from pinnlab.equations.base import Equation


def resolve(function: Callable[..., Any], available: Mapping[str, object], where: str) -> dict[str, object]:
    """The arguments that a function of named fields asks for; one with a default may be missing.

    Raises:
        UserError: if it asks for a name that is not available.
    """
    chosen = {}
    for name, needed in _parameters(function):
        if name not in available:
            if not needed:
                continue
            raise UserError(
                f"{where}: the function {getattr(function, '__name__', 'residual')} asks for {name!r}, which is not "
                f"among its variables ({', '.join(available)})"
            )
        chosen[name] = available[name]
    return chosen


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, bool], ...]:
    bound = getattr(function, "__func__", function)
    names = _signature(bound)
    return names[1:] if bound is not function else names


@lru_cache(maxsize=1024)
def _signature(function: Callable[..., Any]) -> tuple[tuple[str, bool], ...]:
    """The parameters' names, and whether each is needed: has no default."""
    parameters = inspect.signature(function).parameters.values()
    return tuple((p.name, p.default is inspect.Parameter.empty) for p in parameters)


def components(result: object, where: str) -> tuple[Field, ...]:
    """The result of a residual as a tuple of fields.

    Raises:
        UserError: if it is not a field or a tuple of fields.
    """
    parts = result if isinstance(result, tuple | list) else (result,)
    if not parts or not all(isinstance(part, Field) for part in parts):
        wrong = next((part for part in parts if not isinstance(part, Field)), result)
        within = " among its components" if isinstance(result, tuple | list) and parts else ""
        kind = "Tensor" if isinstance(wrong, Tensor) else type(wrong).__name__
        raise UserError(
            f"{where}: the residual must return a field or a tuple of fields, built from the arguments it is "
            f"given; it returned {kind}{within}"
            + (", values without a network behind them" if isinstance(wrong, Values) else "")
        )
    return tuple(parts)


def columns(equation: Equation, points: Points, where: str) -> dict[str, Tensor]:
    """The columns of the points that are not inputs: normals, data.

    Raises:
        UserError: if an input has no column, or a column hides an output or unknown.
    """
    missing = [name for name in equation.inputs if name not in points]
    if missing:
        raise UserError(f"{where}: the region has no coordinate {missing[0]!r} (it has {', '.join(points)})")
    extra = {name: column for name, column in points.items() if name not in equation.inputs}
    taken: Iterable[str] = (*equation.outputs, *equation.unknowns())
    hidden = [name for name in extra if name in taken]
    if hidden:
        raise UserError(f"{where}: the column {hidden[0]!r} of the points has the name of an output or unknown")
    return extra


def coordinates(equation: Equation, points: Points, where: str) -> dict[str, Tensor]:
    """The columns of the points that are inputs: `(N,)`, and `(N, d)` for a vector of dimension d.

    Raises:
        UserError: if a column has another shape.
    """
    found = {}
    for name in equation.inputs:
        column = points[name]
        if isinstance(name, Vector) and column.ndim == name.dimension == 1:
            column = column[:, None]
        expected = (len(column), name.dimension) if isinstance(name, Vector) else (len(column),)
        if column.shape != expected:
            shape = f"(N, {name.dimension})" if isinstance(name, Vector) else "(N,)"
            raise UserError(
                f"{where}: the column of the input {name!r} has the shape {tuple(column.shape)}, not {shape}"
            )
        found[name] = column
    return found


def elsewhere(equation: Equation, place: Any, points: Points, where: str) -> dict[str, Tensor]:
    """The coordinates at a place: those that it returns, and the point's own for all other inputs.

    Raises:
        UserError: if it asks for a column that is not there, or does not return coordinates of the points' shape.
    """
    own = coordinates(equation, points, where)
    found = place(**resolve(place, points, where))
    if not isinstance(found, Mapping):
        raise UserError(f"{where}: a place returns a dictionary of coordinates, as lambda t: {{'t': t - 1}}")
    for name, column in found.items():
        if name not in own:
            raise UserError(f"{where}: {name!r} is not among the inputs {', '.join(equation.inputs)}")
        if getattr(column, "shape", None) != own[name].shape:
            raise UserError(f"{where}: {name} must have one value for each point, {tuple(own[name].shape)}")
    return {**own, **found}
