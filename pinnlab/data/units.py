"""Units of columns: values in the unit that a file has, converted to the one that the equation is written in."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pinnlab.errors import UserError

Array = npt.NDArray[Any]


def converted(values: Array, unit: str, where: str, difference: bool = False) -> Array:
    """Values in a unit as ones in SI units, such as kelvin and metres, or in the unit behind an arrow.

    Args:
        values: The values.
        unit: Their unit as pint reads it, such as `degC`, `mm`, `W/m/K`; `1` for a number without a unit. `mm -> cm`
            names the unit that they are wanted in.
        where: What the values are, for messages.
        difference: Whether the values are differences, such as standard deviations: 1 °C of them is 1 K.

    Raises:
        UserError: if there is no such unit, the two are of other kinds, or pint is not installed.

    Example:
        >>> converted(np.array([20.0]), "degC", "T"), converted(np.array([20.0]), "degC", "T", difference=True)
        (array([293.15]), array([20.]))
        >>> converted(np.array([5.0]), "mm -> cm", "x")
        array([0.5])
    """
    source, arrow, target = (part.strip() for part in unit.partition("->"))
    if not source or (arrow and not target):
        raise UserError(f"{where}: {unit!r} is no unit: write one such as 'mm', '1' for none, or 'degF -> degC'")
    units = _registry(where)
    try:
        given = units.Quantity(values, source)
        if difference:
            # pint has units of differences, in which degC has no offset
            given = given - units.Quantity(np.zeros_like(values), source)
        if not target:
            return _plain(given.to_base_units())
        wanted = units.Quantity(np.zeros(1), target)
        return _plain(given.to((wanted - wanted).units if difference else target))
    except Exception as error:  # pint's own, of the tokeniser and of arithmetic
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{where}: the unit {unit!r} cannot be used: {reason}") from None


def _plain(quantity: Any) -> Array:
    return np.asarray(quantity.magnitude, dtype=float)


@cache
def _loaded() -> Any:
    import pint

    return pint.UnitRegistry()


def _registry(where: str) -> Any:
    try:
        return _loaded()
    except ImportError:
        raise UserError(f"{where}: units are converted by the library pint: pip install 'pinnlab[units]'") from None
