"""Normals of the wrong sign: an equation around a hole that takes the outward normals of the hole itself."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import torch

from pinnlab.equations.domain import solids
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region, select
from pinnlab.geometry.border import beside
from pinnlab.residuals import Residuals

_FEW = 8
"""Points at which a residual is tried with the opposite normal."""


def check_normals(residuals: Residuals, batch: Mapping[str, Points]) -> None:
    """See that normals which a residual uses point out of the regions where the equation holds.

    The equation's regions are those of full dimension. A normal points inwards where they lie ahead of the point and
    not behind it; on an interface they lie on both sides. A residual that keeps its size if the normal is reversed, as
    that of a vanishing flux does, may have either.

    Args:
        residuals: The residual blocks.
        batch: The points of every constraint.

    Raises:
        UserError: if a normal points inwards, and the residual is another one with the opposite normal.
    """
    equation, constraints = residuals.equation, residuals.equation.constraints()
    regions = solids(equation)
    for name, points in batch.items():
        normal = {axis: f"normal_{axis}" for axis in equation.inputs if f"normal_{axis}" in points}
        asked = inspect.signature(constraints[name].residual).parameters
        if not regions or not constraints[name].local or not any(column in asked for column in normal.values()):
            continue
        wrong = _inwards(list(regions.values()), points, normal)
        where = " and ".join(map(repr, regions))
        few = select(points, wrong.nonzero()[:_FEW, 0])
        if wrong.any() and _matters(residuals, name, few, list(normal.values())):
            raise UserError(
                f"{equation.name}, constraint {name!r}: its normals point into the region of {where}. "
                "Take the boundary of that region, whose normals point out of it: (plate - hole).boundary, or for the "
                "hole alone (plate - hole).boundary & hole"
            )


def _inwards(regions: list[Region], points: Points, normal: Mapping[str, str]) -> torch.Tensor:
    """Which normals point from outside of all regions into one of them, `(N,)`."""
    direction = {axis: points[column] for axis, column in normal.items()}
    behind, ahead = zip(*(beside(region, points, direction) for region in regions), strict=True)
    return torch.stack(ahead).any(0) & ~torch.stack(behind).any(0)


def _matters(residuals: Residuals, name: str, points: Points, normal: list[str]) -> bool:
    """Whether a residual changes its size if the normals are reversed; it does where nothing else shows that not."""
    plain = residuals.unweighted()
    with torch.enable_grad():
        given = plain({name: points})[name].detach()
        reverse = plain({name: points | {column: -points[column] for column in normal}})[name].detach()
    same_size = torch.allclose(given.abs(), reverse.abs())
    # a network that begins at zero has no flux yet that could turn round
    return not same_size or torch.equal(given, reverse)
