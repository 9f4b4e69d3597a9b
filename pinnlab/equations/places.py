"""Rows that use the network at a few places: periodic conditions, delays, one point compared with another."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from pinnlab.errors import UserError

if TYPE_CHECKING:
    from pinnlab.jets import Field

Place = Callable[..., Mapping[str, Tensor]]
"""A function of a point's columns by name that returns the coordinates that differ at another place."""


class There:
    """The inputs and outputs of an equation at a place, as attributes: `right.u`, `right.x`.

    Example:
        >>> from pinnlab.equations.places import There
        >>> right = There("right", {"x": 1.0, "u": 2.0})  # numbers in the place of fields
        >>> right.u
        2.0
    """

    def __init__(self, name: str, fields: Mapping[str, Field]) -> None:
        """Takes the fields by name."""
        self._name, self._fields = name, dict(fields)

    def __getattr__(self, attribute: str) -> Field:
        """The field of this name.

        Raises:
            UserError: if there is none.
        """
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        try:
            return self._fields[attribute]
        except KeyError:
            raise UserError(
                f"the place {self._name!r} has no {attribute!r}; it has the inputs and outputs "
                f"{', '.join(self._fields)}"
            ) from None


class Shift:
    """The place at a fixed distance from a point, such as an earlier time.

    Example:
        >>> import torch
        >>> earlier = Shift(t=-1.0)
        >>> earlier(t=torch.tensor([1.0, 2.5]))
        {'t': tensor([0.0000, 1.5000])}
    """

    def __init__(self, **distances: float) -> None:
        """Takes the distance along each input that changes.

        Raises:
            UserError: if there is none, or one is not a finite number.
        """
        if not distances:
            raise UserError("Shift needs at least one distance, as in Shift(t=-1.0)")
        for name, distance in distances.items():
            if not (isinstance(distance, int | float) and math.isfinite(distance)):
                raise UserError(f"Shift: the distance along {name} must be a finite number, not {distance!r}")
        self.distances = distances
        self.__signature__ = _asks_for(*distances)

    def __call__(self, **columns: Tensor) -> dict[str, Tensor]:
        """The shifted coordinates."""
        return {name: columns[name] + distance for name, distance in self.distances.items()}


class Matching:
    """Equal values and derivatives here and at a place: the rows ∂^j u − c ∂^j u(there) for all outputs and orders j.

    With a complex c the outputs come in pairs: the real and the imaginary part of a complex u. Each pair has two rows
    for each j, the real and the imaginary part of ∂^j u − c ∂^j u(there).

    Args:
        axis: The input along which is differentiated.
        outputs: The outputs, one or, for a complex c, pairs of real and imaginary part.
        order: The highest derivative that is matched.
        factor: c.

    Example:
        >>> import inspect
        >>> from pinnlab.equations.places import Matching
        >>> list(inspect.signature(Matching("x", ("u",), order=1, factor=-1)).parameters)
        ['x', 'u', 'opposite']
    """

    def __init__(self, axis: str, outputs: tuple[str, ...], order: int, factor: complex) -> None:
        self.axis, self.outputs, self.order, self.factor = axis, outputs, order, complex(factor)
        self.__signature__ = _asks_for(axis, *outputs, "opposite")

    def __call__(self, **given: Any) -> tuple[Field, ...]:
        """The differences, by output and order."""
        x, there = given[self.axis], given["opposite"]
        along = getattr(there, self.axis)

        def pair(name: str, order: int) -> tuple[Field, Field]:
            here, far = given[name], getattr(there, name)
            return (here.d(*[x] * order), far.d(*[along] * order)) if order else (here, far)

        rows: list[Field] = []
        a, b = self.factor.real, self.factor.imag
        for order in range(self.order + 1):
            if b == 0:
                rows += [here - a * far for here, far in (pair(name, order) for name in self.outputs)]
                continue
            for real, imaginary in zip(self.outputs[::2], self.outputs[1::2], strict=True):
                (u, u_far), (v, v_far) = pair(real, order), pair(imaginary, order)
                rows += [u - (a * u_far - b * v_far), v - (a * v_far + b * u_far)]
        return tuple(rows)


def _asks_for(*names: str) -> inspect.Signature:
    """The signature of a function of keyword arguments with these names."""
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names])
