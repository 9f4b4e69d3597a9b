"""Numpy beside fields: its functions as the torch functions that do the same, its scalars and arrays as operands."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pinnlab.errors import UserError

_OTHER_NAMES = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "degrees": "rad2deg",
    "divide": "div",
    "equal": "eq",
    "fabs": "abs",
    "float_power": "pow",
    "multiply": "mul",
    "negative": "neg",
    "not_equal": "ne",
    "power": "pow",
    "radians": "deg2rad",
    "rint": "round",
    "subtract": "sub",
}
"""Numpy's functions that torch calls by another name; the others have one name in both."""

_WITH_TENSORS_ALONE = frozenset((torch.maximum, torch.minimum, torch.heaviside, torch.logaddexp, torch.atan2))
"""Torch functions of two arguments neither of which may be a number."""

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
"""A torch function and its arguments."""


def torch_call(
    ufunc: Any, method: str, inputs: Sequence[object], kwargs: Mapping[str, object], dtype: torch.dtype, device: Any
) -> Call:
    """A numpy ufunc called on fields, arrays and numbers, as the torch function that does the same.

    Raises:
        UserError: if there is none, or it is called with options or as a reduction.
    """
    name = ufunc.__name__
    function = getattr(torch, _OTHER_NAMES.get(name, name), getattr(torch.special, name, None))
    if method != "__call__" or kwargs or not callable(function):
        called = name if method == "__call__" else f"{name}.{method}"
        options = f" with {', '.join(kwargs)}" if kwargs else ""
        raise UserError(f"numpy's {called}{options} does not work on fields: use a function of torch")
    args = tuple(_given(value, name, dtype, device) for value in inputs)
    if function in _WITH_TENSORS_ALONE:
        args = tuple(torch.tensor(a, dtype=dtype, device=device) if isinstance(a, int | float) else a for a in args)
    return function, args, {}


def torch_function(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], dtype: torch.dtype, device: Any) -> Call:
    """One of numpy's other functions called on fields: `where` and `clip`, as the torch function that does the same.

    Raises:
        UserError: for any other.
    """
    name = func.__name__
    if func not in (np.where, np.clip) or kwargs or len(args) != 3:
        raise UserError(f"numpy's {name} does not work on fields: use a function of torch")
    function = torch.where if func is np.where else torch.clamp
    return function, tuple(_given(value, name, dtype, device) for value in args), {}


def _given(value: Any, name: str, dtype: torch.dtype, device: Any) -> Any:
    """A field or a tensor as it is, or `operand`."""
    if value is None or isinstance(value, Tensor) or hasattr(value, "__torch_function__"):
        return value
    return operand(value, name, dtype, device)


def operand(value: object, name: str, dtype: torch.dtype, device: Any) -> Tensor | float | int | bool:
    """The operand beside a field: a number, or a numpy array as a tensor of the field's dtype and device.

    Args:
        value: No field and no tensor.
        name: The function that is called, for the message.
        dtype: Of the field.
        device: Of the field.

    Raises:
        UserError: if it is neither a real number nor an array of real numbers.
    """
    if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "fiub":
        tensor = torch.as_tensor(np.ascontiguousarray(value), device=device)
        return tensor.to(dtype) if value.dtype.kind == "f" else tensor
    if isinstance(value, np.generic | np.ndarray) and value.ndim == 0 and value.dtype.kind in "fiub":
        value = value.item()
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, numbers.Real):
        return float(value)
    kind = f"{type(value).__module__}.{type(value).__name__}"
    raise UserError(
        f"{name}(field, {kind}) is not defined: beside fields stand fields, real numbers, torch tensors and numpy "
        "arrays of real numbers"
    )
