"""Columns with names: numbers of columns that tell a network the names of inputs and outputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor

from pinnlab.errors import UserError


class Columns(int):
    """A number of columns that knows their names: `Columns(("t", "x"))` is the number 2.

    A network is built by `Network(inputs, outputs)`. The equation gives both as `Columns`, which are numbers to a
    network that asks for no names. A vector input x of dimension d is the d columns `x.0`, `x.1`, …

    Attributes:
        names: One for each column.

    Example:
        >>> inputs = Columns(("t", "x.0", "x.1"))
        >>> inputs == 3, inputs.positions("x"), inputs.variables
        (True, [1, 2], ('t', 'x'))
    """

    names: tuple[str, ...]

    def __new__(cls, names: Iterable[str]) -> Columns:
        """Takes the names in the order of the columns."""
        found = tuple(str(name) for name in names)
        self = super().__new__(cls, len(found))
        self.names = found
        return self

    def __getnewargs__(self) -> tuple[tuple[str, ...]]:  # type: ignore[override]
        """For copies and pickles."""
        return (self.names,)

    def positions(self, name: str) -> list[int]:
        """The columns that a name stands for: one, or all components of a vector; none for an unknown name."""
        parts = [i for i, own in enumerate(self.names) if own.rpartition(".")[0] == name]
        return [self.names.index(name)] if name in self.names else parts

    @property
    def variables(self) -> tuple[str, ...]:
        """The names with the components of a vector taken together, as residuals have them."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.names))


def named(columns: int, owner: str) -> Columns:
    """The columns, if they have names.

    Args:
        columns: What a network was built with.
        owner: The network that needs the names, for the message.

    Raises:
        UserError: if they are a plain number.
    """
    if isinstance(columns, Columns):
        return columns
    raise UserError(
        f"{owner} needs the names of inputs and outputs, and got the number {int(columns)}: put it where a network "
        "sees the inputs of the equation themselves, outside of embeddings, or build it with Columns(('t', 'x'))"
    )


def arguments(function: Callable[..., Any], inputs: Columns, owner: str) -> dict[str, list[int]]:
    """The columns of the inputs that a function of named inputs takes.

    Args:
        function: Written over inputs by their names, as a residual is: `lambda x, y: …`.
        inputs: The inputs.
        owner: Who takes the function, for messages.

    Returns:
        Argument ↦ its columns; an argument with a default that is no input is left out.

    Raises:
        UserError: if it asks for another name, or its arguments have no names.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise UserError(
            f"{owner} takes functions with named arguments, as lambda x, y: …, not {function!r:.60}"
        ) from None
    found = {}
    for parameter in parameters:
        positions = inputs.positions(parameter.name)
        if positions:
            found[parameter.name] = positions
        elif parameter.default is parameter.empty:
            name = getattr(function, "__name__", type(function).__name__)
            raise UserError(
                f"{owner}: the function {name} asks for {parameter.name!r}, which is no input of the equation "
                f"({', '.join(inputs.variables)})"
            )
    return found


def taken(x: Tensor, positions: list[int], inputs: Columns, name: str) -> Tensor:
    """The value of an input at points `(N, inputs)`: `(N,)`, of a vector `(N, d)`."""
    if name in inputs.names:
        return x[..., positions[0]]
    return x[..., positions[0] : positions[-1] + 1]
