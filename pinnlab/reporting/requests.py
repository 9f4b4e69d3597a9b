"""Outputs and derivatives by the names that tables and files use: u, u_x, u_txx."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pinnlab.equations import Equation
from pinnlab.errors import UserError
from pinnlab.jets import IndexSet, MultiIndex


@dataclass(frozen=True)
class Request:
    """A derivative of an output.

    Attributes:
        name: As it was asked for, `u_txx`.
        output: The output.
        alpha: How often along each input.
    """

    name: str
    output: str
    alpha: MultiIndex


def requested(equation: Equation, derivatives: Sequence[str]) -> list[Request]:
    """All outputs, then the derivatives that are asked for.

    Args:
        equation: What names the inputs and outputs.
        derivatives: `OUTPUT_INPUTS` with one input for each differentiation, such as `u_txx`.

    Raises:
        UserError: if a name is not of that form.
    """
    zero = (0,) * len(equation.inputs)
    found = {name: Request(name, name, zero) for name in equation.outputs}
    # longer names first, so that x1 is not read as x
    inputs = "|".join(sorted(map(re.escape, equation.inputs), key=len, reverse=True))
    outputs = "|".join(sorted(map(re.escape, equation.outputs), key=len, reverse=True))
    for name in derivatives:
        match = re.fullmatch(rf"(?P<output>{outputs})(_(?P<along>({inputs})+))?", name)
        if match is None:
            raise UserError(
                f"{name!r} is no derivative of {equation.name}: write an output ({', '.join(equation.outputs)}), an "
                f"underscore and inputs ({', '.join(equation.inputs)}), like "
                f"{equation.outputs[0]}_{equation.inputs[-1] * 2}"
            )
        along = re.findall(inputs, match["along"] or "")
        found[name] = Request(name, match["output"], tuple(along.count(axis) for axis in equation.inputs))
    return list(found.values())


def closure(requests: Sequence[Request]) -> IndexSet:
    """The smallest index set that holds all of them."""
    return IndexSet.closure([request.alpha for request in requests])
