"""Coordinates as people give them to a solution: numbers and arrays of any shapes that broadcast."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pinnlab.equations import Equation, Vector
from pinnlab.errors import UserError

Array = npt.NDArray[Any]


def flat(equation: Equation, coordinates: Mapping[str, npt.ArrayLike]) -> tuple[dict[str, Array], tuple[int, ...]]:
    """The coordinates as columns `(N,)`, of vectors `(N, dim)`, and the shape that the N points were given in.

    Raises:
        UserError: if a coordinate is missing, unknown, no real numbers, or of a shape that does not fit.
    """
    for name in coordinates:
        if name not in equation.inputs:
            raise UserError(f"{equation.name} has no input {name!r}; its inputs are {', '.join(equation.inputs)}")
    arrays = {}
    for name in equation.inputs:
        if name not in coordinates:
            example = [0.5] * name.dimension if isinstance(name, Vector) else 0.5
            raise UserError(f"give a value for the input {name!r}, as in solution({name}={example})")
        arrays[name] = _numbers(name, coordinates[name])
        if isinstance(name, Vector) and arrays[name].shape[-1:] != (name.dimension,):
            raise UserError(
                f"the input {name!r} is a vector: its last dimension must be {name.dimension}, not that of the shape "
                f"{arrays[name].shape}"
            )
    shapes = [arrays[name].shape[:-1] if isinstance(name, Vector) else arrays[name].shape for name in equation.inputs]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise UserError(
            f"the shapes {', '.join(map(str, shapes))} of {', '.join(equation.inputs)} do not broadcast to one"
        ) from None
    tails = {name: (name.dimension,) if isinstance(name, Vector) else () for name in equation.inputs}
    count = math.prod(shape)
    return {
        name: np.broadcast_to(array, shape + tails[name]).reshape(count, *tails[name]) for name, array in arrays.items()
    }, shape


def _numbers(name: str, values: npt.ArrayLike) -> Array:
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    try:
        found = np.asarray(array)
        if found.dtype.kind not in "fiub":
            raise TypeError
    except (TypeError, ValueError):
        raise UserError(f"the input {name!r} takes real numbers, or an array of them, not {values!r}") from None
    return found.astype(float)
