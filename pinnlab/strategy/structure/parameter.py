"""A number of an equation that has other values on the way to the equation as written."""

from __future__ import annotations

import inspect

import torch
from torch import Tensor

from pinnlab.collocation import Sobol
from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.equations.base import twin
from pinnlab.equations.constraints import domain
from pinnlab.errors import UserError
from pinnlab.residuals import Residuals
from pinnlab.strategy.structure.evolution import Probe

_POINTS = 64


def value_of(equation: Equation, parameter: str) -> float:
    """The value of a parameter, which is a plain number among the attributes of an equation or of its class.

    Args:
        equation: The equation.
        parameter: The name of the attribute.

    Raises:
        UserError: if there is no such number.

    Example:
        >>> from pinnlab.problems import ViscousBurgers
        >>> value_of(ViscousBurgers(0.05), "viscosity")
        0.05
    """
    # not computed: a property cannot be set
    value = inspect.getattr_static(equation, parameter, None)
    if not _is_number(value):
        others = [name for name in dir(equation) if _is_parameter(equation, name)]
        raise UserError(
            f"{equation.name} has no number {parameter!r} among its attributes"
            + (f"; it has {', '.join(others)}" if others else "")
        )
    return float(value)


def with_value(equation: Equation, parameter: str, value: float) -> Equation:
    """The equation with another value of a parameter; itself for the value that it has.

    Args:
        equation: The equation; it stays as it is.
        parameter: The name of an attribute that is a number.
        value: The other value.

    Raises:
        UserError: if there is no such number, or the residuals do not depend on it.

    Example:
        >>> from pinnlab.problems import ViscousBurgers
        >>> with_value(ViscousBurgers(0.05), "viscosity", 0.1).viscosity
        0.1
    """
    if value == value_of(equation, parameter):
        return equation
    changed = twin(equation)
    setattr(changed, parameter, value)
    if all(torch.equal(*both) for both in zip(_rows(equation), _rows(changed), strict=True)):
        raise UserError(
            f"{equation.name} stays the same when its attribute {parameter!r} changes: let a residual read "
            f"self.{parameter}"
        )
    return changed


def _rows(equation: Equation) -> list[Tensor]:
    """The residuals of some function at some points of each constraint."""
    constraints = equation.constraints()
    probe = Probe(equation, constraints[domain(constraints)].region)
    points = {
        key: Sobol().sample(found.region, _POINTS, number) for number, (key, found) in enumerate(constraints.items())
    }
    residuals = Residuals(probe, twin(equation), NTP()).unweighted()
    with torch.enable_grad():
        blocks = residuals(points, residuals.weighting).values()
    return [block.detach().nan_to_num() for block in blocks]


def _is_parameter(equation: Equation, name: str) -> bool:
    return not name.startswith("_") and _is_number(inspect.getattr_static(equation, name, None))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
