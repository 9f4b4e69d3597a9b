"""Coefficients from tables: a spline through measured or computed values, with derivatives, for residuals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import handle_torch_function, has_torch_function

from pinnlab.errors import UserError
from pinnlab.geometry.numbers import real
from pinnlab.jets import Field, rule
from pinnlab.jets.contents import limited


class Table(nn.Module):
    """A fixed function k(x), or k(x, y, …) on a regular grid, that interpolates values by a tensor-product spline.

    Between two neighbouring knots of each axis it is a polynomial of the given degree in that axis. It has `degree - 1`
    continuous derivatives. The next one is constant between knots, and a residual that asks for more is refused. Its
    arguments may be fields, tensors, arrays or numbers; its derivatives are exactly the spline's, by the chain rule.
    The spline interpolates (scipy's `make_interp_spline`, de Boor 1978): smooth noisy values first, because derivatives
    magnify noise. As an attribute of an equation it moves to the equation's device.

    Attributes:
        degree: The degree of the polynomials.
        ranges: The first and last knot of every axis.
        coefficients: The coefficients of the polynomials, `(m_1, …, m_d, degree + 1, …)`.

    Example:
        In a residual: `(k(x) * u.d(x)).d(x)`.

        >>> k = Table([0.0, 0.5, 1.0], [0.0, 0.25, 1.0], degree=2)
        >>> round(k(0.8).item(), 12)
        0.64
        >>> plane = Table(([0, 1], [0, 1]), [[0, 1], [2, 3]], degree=1)
        >>> plane(0.5, 0.5).item()
        1.5
    """

    coefficients: Tensor

    def __init__(self, axes: Any, values: Any, degree: int = 3) -> None:
        """Fits the spline.

        Args:
            axes: The knots x_1 < … < x_n, `(n,)`, at which there are values; a tuple of them for several arguments.
            values: The values there, `(n,)`, or `(n, m, …)` for several arguments.
            degree: The degree of the polynomials: 1 (a broken line), 3 (cubic) or any other from 1 on; less than the
                number of knots of each axis.

        Raises:
            UserError: if knots are not increasing, numbers are not finite, the shapes do not fit, or there are too few
                knots for the degree.
        """
        super().__init__()
        if not isinstance(degree, int) or isinstance(degree, bool) or degree < 1:
            raise UserError(f"the degree of a Table must be a whole number from 1 on, not {degree!r}")
        several = isinstance(axes, tuple) and len(axes) > 0 and all(np.ndim(axis) > 0 for axis in axes)
        axes = axes if several else (axes,)
        knots = [real(axis, f"the knots of axis {i} of a Table") for i, axis in enumerate(axes, 1)]
        for i, axis in enumerate(knots, 1):
            if axis.ndim != 1 or not (axis.diff() > 0).all():
                raise UserError(f"the knots of axis {i} of a Table must be a list of increasing numbers")
            if len(axis) <= degree:
                raise UserError(
                    f"a Table of degree {degree} needs at least {degree + 1} knots on each axis, and axis {i} has "
                    f"{len(axis)}: give more, or a lower degree"
                )
        given = real(values, "the values of a Table")
        if given.shape != tuple(len(axis) for axis in knots):
            raise UserError(
                f"the values of a Table must have the shape {tuple(len(axis) for axis in knots)} of its axes, not "
                f"{tuple(given.shape)}"
            )
        self.degree = degree
        self.ranges = tuple((float(axis[0]), float(axis[-1])) for axis in knots)
        coefficients, breaks = _polynomials(knots, given, degree)
        self.register_buffer("coefficients", coefficients, persistent=False)
        for i, ends in enumerate(breaks):
            self.register_buffer(f"breaks_{i}", ends, persistent=False)

    @property
    def breaks(self) -> list[Tensor]:
        """The ends of the pieces of every axis, ascending."""
        return [getattr(self, f"breaks_{i}") for i in range(len(self.ranges))]

    def forward(self, *arguments: Any) -> Any:
        """The spline at its arguments, which broadcast: fields, tensors, arrays or numbers.

        Raises:
            UserError: if there are more or fewer arguments than axes, or numbers and arrays that lie outside of the
                table. At points of fields and tensors outside it is NaN, which training refuses before it begins.
        """
        if len(arguments) != len(self.ranges):
            raise UserError(f"this Table has {len(self.ranges)} argument(s), and {len(arguments)} were given")
        if any(isinstance(argument, Field | Tensor) for argument in arguments):
            return table(*arguments, of=self)
        values = table(*(real(argument, "an argument of a Table") for argument in arguments), of=self)
        if values.isnan().any():
            ranges = " × ".join(f"[{low:g}, {high:g}]" for low, high in self.ranges)
            raise UserError(f"a Table over {ranges} has no values outside of it")
        return values

    def extra_repr(self) -> str:
        """The degree and the ranges."""
        return f"degree={self.degree}, ranges={self.ranges}"


def table(*arguments: Any, of: Table) -> Any:
    """The piecewise polynomial of a Table at its arguments; NaN outside of it.

    Args:
        *arguments: One for each axis; numbers stand beside tensors or fields.
        of: The table.
    """
    if has_torch_function(arguments):
        return handle_torch_function(table, arguments, *arguments, of=of)
    return _evaluated(*arguments, of=of)


@rule(table)
def _evaluated(*arguments: Any, of: Table) -> Any:
    """The polynomial of each point's piece, evaluated on tensors or jets: there its coefficients by the chain rule."""
    values = [a.value.detach() if isinstance(a, Field) else a for a in arguments]
    like = next(value for value in values if isinstance(value, Tensor))
    values = [v.detach() if isinstance(v, Tensor) else torch.full_like(like, v) for v in values]
    own, *lefts = _pieces(values, of)
    return _horner(own, [a - left for a, left in zip(arguments, lefts, strict=True)])


def _pieces(values: Sequence[Tensor], of: Table) -> list[Tensor]:
    """The coefficients of the pieces that hold the values, `(…, degree + 1, …)`, and their left ends on every axis."""
    index, lefts, outside = [], [], []
    for x, ends in zip(values, of.breaks, strict=True):
        ends = ends.to(dtype=x.dtype, device=x.device)
        slack = 16 * torch.finfo(x.dtype).eps * ends.abs().max()  # by which rounding may carry a point over the end
        outside.append((x < ends[0] - slack) | (x > ends[-1] + slack) | x.isnan())
        index.append((x[..., None] >= ends[1:-1]).sum(-1))
        lefts.append(ends[index[-1]])
    own = of.coefficients.to(dtype=values[0].dtype, device=values[0].device)[tuple(index)]
    beyond = outside[0]
    for other in outside[1:]:
        beyond = beyond | other
    return [torch.where(beyond[(...,) + (None,) * len(values)], torch.nan, own), *lefts]


def _horner(own: Tensor, distances: Sequence[Any]) -> Any:
    """Σ c_ij… s^i t^j … by Horner's scheme, axis by axis."""
    if not distances:
        return own
    lowest, *higher = (_horner(part, distances[1:]) for part in own.unbind(-len(distances)))
    result = higher[-1]
    for part in reversed((lowest, *higher[:-1])):
        result = result * distances[0] + part
    return result


def _polynomials(knots: Sequence[Tensor], values: Tensor, degree: int) -> tuple[Tensor, list[Tensor]]:
    """The interpolating spline's pieces and their ends.

    Returns:
        The coefficients of the powers of the distance from the left end of a piece, `(m_1, …, m_d, degree + 1, …)`,
        and the ends of the m_i pieces of every axis.
    """
    from scipy.interpolate import make_interp_spline

    table, breaks = values.numpy(), []
    for axis in knots:
        # the first axis is the next to do: its pieces go behind the other axes, and its powers to the end
        fitted = make_interp_spline(axis.numpy(), table, k=degree, axis=0)
        ends = np.unique(fitted.t)
        taylor = [fitted(ends[:-1], nu=power) / math.factorial(power) for power in range(degree + 1)]
        table = np.moveaxis(np.stack(taylor, -1), 0, len(knots) - 1)
        breaks.append(torch.from_numpy(ends))
    return torch.from_numpy(np.ascontiguousarray(table)), breaks


limited(lambda options: options["of"].degree, table)
