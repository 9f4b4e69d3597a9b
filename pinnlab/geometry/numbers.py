"""Numbers of any library, checked once and turned into tensors."""

from __future__ import annotations

import numbers

import numpy as np
import torch
from torch import Tensor

from pinnlab.errors import UserError

_WHOLE = 2**53
"""Whole numbers up to here are float64 numbers."""


def real(values: object, what: str) -> Tensor:
    """Real numbers as a float64 tensor of the same shape, on the CPU: a copy.

    Args:
        values: A number, nested sequences of numbers, a numpy array, a tensor, or any object that numpy turns into an
            array, such as a column of a data frame. Booleans count as 0 and 1.
        what: The name of the numbers in messages, as `the bounds of x`.

    Raises:
        UserError: if they are no numbers, complex, dates, masked, infinite or NaN, or whole numbers beyond 2^53, of
            which float64 has not all.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        raise UserError(f"{what} must not be masked: leave the masked points out, as values.compressed() does")
    if isinstance(values, Tensor):
        values = values.detach().cpu().resolve_conj().resolve_neg()
    try:
        array = values.numpy() if isinstance(values, Tensor) else np.asarray(values)
        if array.dtype.kind == "O" and all(isinstance(v, numbers.Real) or _number(v) for v in array.flat):
            whole = [v for v in array.flat if isinstance(v, int)]
            array = array.astype(np.int64 if len(whole) == array.size else float)
    except OverflowError:
        raise _too_large(what) from None
    except (TypeError, ValueError, RuntimeError):
        raise UserError(
            f"{what} must be a number or a list of numbers, nested ones of one length, not {_shown(values)}"
        ) from None
    if array.dtype.kind not in "fiub":
        raise UserError(f"{what} must be numbers, and real ones, not {_KINDS.get(array.dtype.kind, _shown(values))}")
    if array.dtype.kind in "iu" and array.size and max(-int(array.min()), int(array.max())) > _WHOLE:
        raise _too_large(what)
    found = torch.from_numpy(np.array(array, dtype=np.float64))
    if not found.isfinite().all():
        raise UserError(
            f"{what} must be finite; a value in {_shown(values)} is not finite, and points without a value are left out"
        )
    return found


def number(value: object, what: str) -> float:
    """The finite number that `value` is; an array or tensor of one entry is a number.

    Raises:
        UserError: it is none; the message begins with `what`.
    """
    if isinstance(value, str) or value is None:
        raise UserError(f"{what} must be a number, not {value!r}")
    found = real(value, what)
    if found.numel() != 1:
        raise UserError(f"{what} must be a number, not {_shown(value)}")
    return found.item()


def pair(values: object, what: str) -> tuple[object, object]:
    """The two entries of a tuple, list, array or tensor of two.

    Raises:
        UserError: it has not two; the message begins with `what`.
    """
    several = isinstance(values, tuple | list | range) or (isinstance(values, np.ndarray | Tensor) and values.ndim > 0)
    if several and len(values) == 2:  # type: ignore[arg-type]
        return values[0], values[1]  # type: ignore[index]
    raise UserError(f"{what} must be a pair of numbers, not {_shown(values)}")


_KINDS = {
    "c": "complex ones: give real and imaginary parts on their own",
    "M": "dates: subtract the first and divide by a unit, as (t - t[0]) / np.timedelta64(1, 's')",
    "m": "durations: divide by a unit, as dt / np.timedelta64(1, 's')",
    "U": "strings: convert them, as values.astype(float)",
    "S": "strings: convert them, as values.astype(float)",
    "O": "objects: convert them, as values.astype(float)",
}


def _too_large(what: str) -> UserError:
    return UserError(f"{what} must be no whole numbers beyond 2^53, which float64 rounds: subtract an offset first")


def _number(value: object) -> bool:
    """Whether an entry of a list is an array or a tensor of one real number."""
    return isinstance(value, np.ndarray | Tensor) and value.ndim == 0 and not np.iscomplexobj(np.asarray(value))


def _shown(values: object) -> str:
    text = " ".join(repr(values).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
