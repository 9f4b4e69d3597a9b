"""Conditions between opposite faces of a box: periodic, antiperiodic and Bloch."""

from __future__ import annotations

import cmath

from pinnlab.equations.constraints import Constraint
from pinnlab.equations.places import Matching, Shift
from pinnlab.errors import UserError
from pinnlab.geometry import Box


def periodic(box: Box, axis: str, *outputs: str, order: int = 1, factor: float = 1.0, points: int = 128) -> Constraint:
    """∂^j u/∂x^j at the lower face of a box equals c times that at the upper face, for j = 0, …, order.

    With c = 1 the solution is periodic, with c = −1 antiperiodic. An equation of second order in x needs order 1.

    Args:
        box: The box.
        axis: The input whose two faces are matched.
        outputs: The outputs that are matched.
        order: The highest derivative that is matched.
        factor: c.
        points: The number of collocation points on the face.

    Raises:
        UserError: if the box has no such axis, or no output is named.

    Example:
        >>> box = Box(t=(0, 1), x=(-1, 1))
        >>> condition = periodic(box, "x", "u")
        >>> condition.places["opposite"].distances
        {'x': 2.0}
    """
    return _matched(box, axis, outputs, order, factor, points)


def bloch(box: Box, axis: str, *outputs: str, phase: float, order: int = 1, points: int = 128) -> Constraint:
    """u(x + L) = e^{i phase} u(x) and the same for derivatives up to `order`, for complex u as two outputs.

    Args:
        box: The box.
        axis: The input whose two faces are matched.
        outputs: Pairs of outputs, the real and the imaginary part of each u.
        phase: k L in radians for the wave number k and the length L of the box.
        order: The highest derivative that is matched.
        points: The number of collocation points on the face.

    Raises:
        UserError: if the box has no such axis, or the outputs are no pairs.

    Example:
        A Bloch wave u + iv of wave number 0.3 in a cell of length 2:

        >>> condition = bloch(Box(x=(0, 2)), "x", "u", "v", phase=0.6)
        >>> condition.local, condition.points
        (True, 128)
    """
    if len(outputs) % 2:
        raise UserError("bloch() takes pairs of outputs, the real and the imaginary part of each")
    return _matched(box, axis, outputs, order, cmath.exp(-1j * phase), points)


def _matched(box: Box, axis: str, outputs: tuple[str, ...], order: int, factor: complex, points: int) -> Constraint:
    if axis not in box.bounds:
        raise UserError(f"the box has no axis {axis!r}; it has {', '.join(box.bounds)}")
    if not outputs:
        raise UserError(f"name the outputs that are matched, as in periodic(box, {axis!r}, 'u')")
    if order < 0:
        raise UserError(f"the order of the highest derivative cannot be negative, got {order}")
    lower, upper = box.bounds[axis]
    if lower.dim():
        raise UserError(f"{axis} is a vector, and has no pair of faces")
    return Constraint(
        box.face(axis, float(lower)),
        Matching(axis, outputs, order, factor),
        points,
        places={"opposite": Shift(**{axis: float(upper - lower)})},
    )
