"""Outputs and derivatives by the names that tables and files use: u, u_x, u_txx, and u_x.2 for a vector input x."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnlab.equations import Equation
from pinnlab.equations.inputs import axes, axis_names
from pinnlab.errors import UserError
from pinnlab.jets import Field, IndexSet, MultiIndex


@dataclass(frozen=True)
class Request:
    """A derivative of an output, or all derivatives along a vector.

    Attributes:
        name: As it was asked for, `u_txx`.
        output: The output.
        along: What it is differentiated along, one after the other: an axis, or the axes of a vector input.
        dimension: The number of axes.
    """

    name: str
    output: str
    along: tuple[int | range, ...]
    dimension: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values at one point: a dimension for every vector that is differentiated along."""
        return tuple(len(axis) for axis in self.along if isinstance(axis, range))

    @property
    def alphas(self) -> list[MultiIndex]:
        """The derivatives as multi-indices, the last vector's components varying fastest."""
        choices = itertools.product(*(axis if isinstance(axis, range) else [axis] for axis in self.along))
        return [tuple(chosen.count(axis) for axis in range(self.dimension)) for chosen in choices]

    def values(self, field: Field) -> Tensor:
        """The values of the derivative of a field, `(N, *shape)`."""
        found = {alpha: field.derivative(alpha) for alpha in dict.fromkeys(self.alphas)}
        stacked = torch.stack([found[alpha] for alpha in self.alphas], -1)
        return stacked.unflatten(-1, self.shape) if self.shape else stacked[..., 0]


def requested(equation: Equation, derivatives: Sequence[str]) -> list[Request]:
    """All outputs, then the derivatives that are asked for.

    Args:
        equation: What names the inputs and outputs.
        derivatives: `OUTPUT_INPUTS` with one input for each differentiation, such as `u_txx`. Of a vector input x,
            `u_x` is all derivatives along it and `u_x.0` the first of them. The name of an output is that output.

    Raises:
        UserError: if a name is not of that form, or may mean two things.

    Example:
        >>> from pinnlab.problems import ViscousBurgers
        >>> from pinnlab.solution.requests import requested
        >>> [(request.name, request.alphas) for request in requested(ViscousBurgers(), ["u_tx", "u_xx"])]
        [('u', [(0, 0)]), ('u_tx', [(1, 1)]), ('u_xx', [(0, 2)])]
    """
    found = {name: derivative(equation, name, name, ()) for name in equation.outputs}
    for name in derivatives:
        if name not in found:
            found[name] = derivative(equation, name, *_meaning(equation, name))
    return list(found.values())


def derivative(equation: Equation, name: str, output: str, along: Sequence[str]) -> Request:
    """The derivative of an output along inputs, or along components of vector inputs such as `x.0`.

    Raises:
        UserError: if there is no such input.
    """
    known = _directions(equation)
    for direction in along:
        if direction not in known:
            raise UserError(f"{equation.name} has no input {direction!r}; its inputs are {', '.join(equation.inputs)}")
    return Request(name, output, tuple(known[direction] for direction in along), equation.dimension)


def components(request: Request) -> list[str]:
    """What the names of a request's columns end in: nothing for a number at a point, `.0`, `.1`, … along a vector."""
    return ["".join(f".{i}" for i in index) for index in itertools.product(*map(range, request.shape))]


def closure(requests: Sequence[Request]) -> IndexSet:
    """The smallest index set that holds all of them."""
    return IndexSet.closure([alpha for request in requests for alpha in request.alphas])


def _directions(equation: Equation) -> dict[str, int | range]:
    """What can be differentiated along, by name: inputs, and the components of those that are vectors."""
    components: dict[str, int | range] = {name: axis for axis, name in enumerate(axis_names(equation.inputs))}
    return components | {name: axis for name, axis in axes(equation.inputs).items() if isinstance(axis, range)}


def _meaning(equation: Equation, name: str) -> tuple[str, tuple[str, ...]]:
    directions = _directions(equation)
    meanings: dict[object, tuple[str, tuple[str, ...]]] = {}
    for output in equation.outputs:
        if name.startswith(f"{output}_"):
            for along in _readings(name.removeprefix(f"{output}_"), directions):
                # the order of differentiation is no other meaning
                meanings.setdefault((output, tuple(sorted(along))), (output, along))
    if len(meanings) == 1:
        return next(iter(meanings.values()))
    if meanings:
        (one, first), (other, second), *_ = meanings.values()
        raise UserError(
            f"{name!r} may be {one} along {', '.join(first)} or {other} along {', '.join(second)}: ask from Python, "
            f"as solution.d({', '.join(map(repr, first))}, …)"
        )
    raise UserError(
        f"{name!r} is no derivative of {equation.name}: write an output ({', '.join(equation.outputs)}), an "
        f"underscore and inputs ({', '.join(equation.inputs)}), like {equation.outputs[0]}_{equation.inputs[-1] * 2}"
    )


def _readings(text: str, names: Collection[str]) -> list[tuple[str, ...]]:
    """All ways to read a text as names one after the other, at least one."""
    found = [(name,) for name in names if text == name]
    return found + [
        (name, *rest) for name in names if text.startswith(name) for rest in _readings(text[len(name) :], names)
    ]
