"""The shapes and types of points and residuals, checked once, where they enter."""

from __future__ import annotations

from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets import Probe
from pinnlab.jets.values import ADVICE, TOGETHER


def check_column(name: str, column: Tensor, where: str) -> None:
    """Refuses a column of points that is complex or has a wrong shape.

    Raises:
        UserError: if it is complex, or neither `(N,)` nor `(N, d)`.
    """
    if column.is_complex():
        raise UserError(f"{where}: the column {name!r} is complex: give real and imaginary part as two columns")
    if column.ndim not in (1, 2):
        raise UserError(f"{where}: the column {name!r} must have shape (N,) or (N, d), not {tuple(column.shape)}")


def check_component(probe: Probe, where: str, order: int) -> None:
    """Refuses a result of a residual that is not real, has a wrong shape, or lacks derivatives.

    Raises:
        UserError: if it has not one real number for each point, or not the derivatives of the Sobolev rows. Where rows
            use all nodes it may have any number of them, one after another.
    """
    count, shape = probe.points, tuple(probe.shape)
    if probe.together and (len(shape) > 1 or not probe.shape.numel()):
        raise UserError(f"{where}: the rows of a Whole are a field (R,) or (), and this one has the shape {shape}")
    if probe.together and order > 0 and shape != (count,):
        raise UserError(f"{where}: Sobolev rows differentiate a residual (M,) at the nodes, and this one has {shape}")
    if order > 0 and probe.places - {""}:
        raise UserError(
            f"{where}: Sobolev rows of order {order} differentiate the residual, which uses the network at "
            f"{', '.join(sorted(probe.places - {''}))}, and that place does not keep its distance when the point "
            "moves: weight order 0 alone here"
        )
    if not probe.together and shape != (count,):
        written = str(tuple("N" if entry == count else entry for entry in shape)).replace("'", "")
        if len(shape) == 2 and shape[0] == count:
            advice = "return its components as a tuple, tuple(r.unbind(-1)), or add their squares up"
        elif count in shape:
            advice = "return its parts as a tuple"
        else:
            advice = TOGETHER
        raise UserError(f"{where}: a residual has one number for each point, (N,), and this one {written}: {advice}")
    if not probe.dtype.is_floating_point:
        raise UserError(f"{where}: the residual must be a real number at each point, not {probe.dtype}")
    for what, left in probe.left.items():
        if left < order:
            raise UserError(
                f"{where}: Sobolev rows of order {order} differentiate the residual, which contains {what} with "
                f"{left or 'no'} derivative{'s' * (left > 1)}: weight the orders up to {left} alone here, or {ADVICE}"
            )
