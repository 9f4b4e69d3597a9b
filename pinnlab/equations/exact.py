"""The values that a function for the exact solution, or for a reference, may return."""

from __future__ import annotations

import numbers
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets import Field


def exact_fields(owner: str, outputs: Sequence[str], values: object, zero: Field) -> dict[str, Field]:
    """The exact outputs by name.

    Args:
        owner: The function, for messages.
        outputs: The names of the outputs.
        values: What the function returned: a field `(N,)` or a number, or a tuple of them in the order of the outputs.
        zero: The field that is 0 at the N points.

    Raises:
        UserError: if it is anything else.
    """
    return {name: _field(owner, name, part, zero) for name, part in _parts(owner, outputs, values)}


def reference_fields(owner: str, outputs: Sequence[str], values: object, zero: Field) -> dict[str, Field]:
    """The outputs of a reference by name: fields without derivatives.

    Args:
        owner: The function, for messages.
        outputs: The names of the outputs.
        values: What the function returned: an array `(N,)` or a number, or a tuple of them in the order of the outputs.
        zero: The field that is 0 at the N points.

    Raises:
        UserError: if it is anything else.
    """
    return {name: zero + _column(owner, name, part, zero) for name, part in _parts(owner, outputs, values)}


def _parts(owner: str, outputs: Sequence[str], values: object) -> list[tuple[str, object]]:
    """What a function returned for each output."""
    parts = values if isinstance(values, tuple | list) else (values,)
    if len(parts) != len(outputs):
        raise UserError(
            f"{owner} returns {len(parts)} of {len(outputs)} outputs: give one for each of {', '.join(outputs)}, as a "
            "tuple in their order"
        )
    return list(zip(outputs, parts, strict=True))


def _column(owner: str, name: str, value: object, zero: Field) -> Tensor:
    try:
        column = torch.as_tensor(np.asarray(value, dtype=float)).to(zero.value)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{owner} returns a {type(value).__name__} for {name}: give an array of real numbers"
        ) from error
    if column.ndim:
        _check_shape(owner, name, column, zero)
    return column


def _field(owner: str, name: str, value: object, zero: Field) -> Field:
    if isinstance(value, numbers.Real | np.number) or (isinstance(value, Tensor | np.ndarray) and value.ndim == 0):
        return zero + float(value)
    if not isinstance(value, Field):
        raise UserError(
            f"{owner} returns a {type(value).__module__}.{type(value).__name__} for {name}: write it with torch "
            "functions of its arguments, which give its derivatives as well, as torch.exp(-t)"
        )
    _check_shape(owner, name, value, zero)
    return value


def _check_shape(owner: str, name: str, value: Tensor | Field, zero: Field) -> None:
    if value.shape != zero.shape:
        raise UserError(
            f"{owner} returns the shape {tuple(value.shape)} for {name}, but the points have the shape "
            f"{tuple(zero.shape)}: one number each"
        )
