"""The values that a function for the exact solution may return."""

from __future__ import annotations

import numbers
from collections.abc import Sequence

import numpy as np
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
    parts = values if isinstance(values, tuple | list) else (values,)
    if len(parts) != len(outputs):
        raise UserError(
            f"{owner} returns {len(parts)} of {len(outputs)} outputs: give one for each of {', '.join(outputs)}, as a "
            "tuple in their order"
        )
    return {name: _field(owner, name, part, zero) for name, part in zip(outputs, parts, strict=True)}


def _field(owner: str, name: str, value: object, zero: Field) -> Field:
    if isinstance(value, numbers.Real | np.number) or (isinstance(value, Tensor | np.ndarray) and value.ndim == 0):
        return zero + float(value)
    if not isinstance(value, Field):
        raise UserError(
            f"{owner} returns a {type(value).__module__}.{type(value).__name__} for {name}: write it with torch "
            "functions of its arguments, which give its derivatives as well, as torch.exp(-t)"
        )
    if value.shape != zero.shape:
        raise UserError(
            f"{owner} returns the shape {tuple(value.shape)} for {name}, but the points have the shape "
            f"{tuple(zero.shape)}: one number each"
        )
    return value
