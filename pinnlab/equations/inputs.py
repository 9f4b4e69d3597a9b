"""Inputs and their axes: a scalar input is one axis, a vector has one for each component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pinnlab.errors import UserError


class Vector(str):
    """The name of an input that is a vector: `inputs = ("t", Vector("x", 1000))`; its columns are `(N, dimension)`.

    `u.d(x)` in residuals, `solution.d("x", …)` and `u_x` in names of derivatives are all derivatives along it, in a new
    last dimension. Its components are called `x.0`, `x.1`, … in derivatives (`u_x.0`), tables and files.

    Example:
        >>> axis_names(("t", Vector("x", 3)))
        ('t', 'x.0', 'x.1', 'x.2')
    """

    dimension: int

    def __new__(cls, name: str, dimension: int) -> Vector:
        """Names the input.

        Raises:
            UserError: if the dimension is not positive.
        """
        if dimension < 1:
            raise UserError(f"the vector {name!r} needs a positive dimension, got {dimension}")
        self = super().__new__(cls, name)
        self.dimension = dimension
        return self

    def __getnewargs__(self) -> tuple[str, int]:  # type: ignore[override]
        """For copies and pickles."""
        return str(self), self.dimension


def size(name: str) -> int:
    """The number of axes of an input."""
    return name.dimension if isinstance(name, Vector) else 1


def axes(inputs: Sequence[str]) -> dict[str, int | range]:
    """The coordinate axis of every input, of a vector its range of axes."""
    found: dict[str, int | range] = {}
    first = 0
    for name in inputs:
        found[name] = range(first, first + name.dimension) if isinstance(name, Vector) else first
        first += size(name)
    return found


def axis_names(inputs: Sequence[str]) -> tuple[str, ...]:
    """The names of all axes in their order: the inputs' own, and `x.0`, `x.1`, … for the components of a vector x."""
    parts = ([f"{name}.{i}" for i in range(name.dimension)] if isinstance(name, Vector) else [name] for name in inputs)
    return tuple(name for part in parts for name in part)


def by_axis(columns: Mapping[str, Any], inputs: Sequence[str]) -> dict[str, Any]:
    """The columns of inputs by the names of axes: of a vector `(…, d)` its d components, each `(…)`."""
    found: dict[str, Any] = {}
    for name in inputs:
        column = columns[name]
        if not isinstance(name, Vector):
            found[name] = column
        elif name.dimension == column.ndim == 1:
            # a region of numbers is taken for one of vectors of one component
            found[f"{name}.0"] = column
        else:
            found |= {f"{name}.{i}": column[..., i] for i in range(name.dimension)}
    return found


def from_axes(columns: Mapping[str, np.ndarray], inputs: Sequence[str]) -> dict[str, np.ndarray]:
    """The inputs from columns by the names of axes, `(…)` each: of a vector `(…, d)`; the inverse of `by_axis`."""
    parts = {name: [columns[part] for part in axis_names([name])] for name in inputs}
    return {name: np.stack(part, -1) if isinstance(name, Vector) else part[0] for name, part in parts.items()}
