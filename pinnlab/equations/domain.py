"""The domain of an equation, and the points outside of it."""

from __future__ import annotations

import inspect

import torch
from torch import Tensor

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import domain
from pinnlab.geometry import Points, Region

_DIGITS = 1e-6
"""The distance to the region, relative to its size, at which a point counts as inside: files often have six digits."""


def solids(equation: Equation) -> dict[str, Region]:
    """The regions of full dimension by the names of their constraints: where the equation holds.

    Empty for an equation that holds on given points or on a curve in the plane alone.
    """
    regions = {name: constraint.region for name, constraint in equation.constraints().items()}
    return {name: region for name, region in regions.items() if region.dimension == equation.dimension}


def users(equation: Equation, output: str) -> list[str]:
    """The constraints whose residuals ask for an output by its name; if there is none, all constraints."""
    constraints = equation.constraints()
    found = [
        name for name, constraint in constraints.items() if output in inspect.signature(constraint.residual).parameters
    ]
    return found or list(constraints)


def home(equation: Equation, output: str) -> str:
    """The constraint whose region is the domain of an output: the largest of those that ask for it."""
    constraints = equation.constraints()
    return domain({name: constraints[name] for name in users(equation, output)})


def outside(equation: Equation, points: Points) -> Tensor:
    """Booleans `(N,)`: which points lie in none of the regions of full dimension, nor on their boundaries.

    If the equation has no such region, no point is outside.

    Args:
        equation: The equation.
        points: The inputs, `(N,)` each, `(N, d)` for a vector.
    """
    regions = solids(equation).values()
    if not regions:
        return torch.zeros(len(points[equation.inputs[0]]), dtype=torch.bool)
    return ~torch.stack([_closure(region, points) for region in regions]).any(0)


def _closure(region: Region, points: Points) -> Tensor:
    """Which points are in a region or next to it: a difference is open where something was taken away."""
    near = region.contains(points)
    for name, (lower, upper) in region.extent.items():
        step = _DIGITS * (upper - lower)
        for sign in (-1, 1):
            near = near | region.contains(points | {name: points[name] + sign * step})
    return near
