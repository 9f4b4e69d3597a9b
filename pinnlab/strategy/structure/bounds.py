"""Which outputs the conditions of an equation bound."""

from __future__ import annotations

from pinnlab.equations import Equation
from pinnlab.equations.domain import users


def unbounded(equation: Equation) -> tuple[str, ...]:
    """The outputs that no condition on a boundary asks for, as a pressure that is fixed at a point.

    The equation alone determines them, up to constants. Where it makes their derivatives infinite, as at the corners of
    a driven cavity, they may be infinite themselves, and no solution is near them there. Empty for an equation of one
    input, whose boundary consists of points.

    Example:
        >>> from pinnlab.problems import Poisson
        >>> unbounded(Poisson())
        ()
    """
    constraints, dimension = equation.constraints(), equation.dimension
    boundary = {name for name, found in constraints.items() if 0 < found.region.dimension < dimension}
    return tuple(output for output in equation.outputs if boundary and not boundary & set(users(equation, output)))
