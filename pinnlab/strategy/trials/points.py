"""The points of a solve: so many as determine its features, and others that it has not seen."""

from __future__ import annotations

import math

from pinnlab.collocation import Sobol
from pinnlab.geometry import Points
from pinnlab.residuals import Residuals
from pinnlab.strategy.features import Features, stretched
from pinnlab.strategy.layers import spread

# Rows of the equation for each coefficient of the features, and points of a condition for each inside, at most.
_ROWS, _CONDITIONS = 2.5, 1 / 3


def collocation(residuals: Residuals, features: Features) -> dict[str, Points]:
    """Points that determine so many features: 2.5 rows of the equation for each coefficient.

    A condition on a boundary of dimension m has about as many points for its size as the equation has in the region of
    dimension d: 4 d N^(m/d) for N points inside. Along stretched coordinates they are as dense as the features.
    """
    counts, denser = numbers(residuals, features), stretched(residuals.equation, features)
    return {
        name: Sobol().sample(spread(constraint, denser), counts[name], features.seed * 31 + number)
        for number, (name, constraint) in enumerate(residuals.constraints.items())
    }


def numbers(residuals: Residuals, features: Features) -> dict[str, int]:
    """How many points `collocation` asks for, by constraint."""
    equation, constraints = residuals.equation, residuals.constraints
    inside = [name for name, c in constraints.items() if c.region.dimension == equation.dimension]
    rows = sum(residuals.height(name) for name in inside)
    count = math.ceil(_ROWS * features.count * len(equation.outputs) / max(1, rows))
    found = dict.fromkeys(constraints, count)
    for name in constraints.keys() - set(inside):
        lower = constraints[name].region.dimension / equation.dimension
        found[name] = max(8, min(math.ceil(4 * equation.dimension * count**lower), math.ceil(count * _CONDITIONS)))
    return found


def fresh(residuals: Residuals, features: Features, count: int, seed: int) -> dict[str, Points]:
    """Points of all constraints that training has not seen, denser where the features are."""
    denser = stretched(residuals.equation, features)
    return {
        name: Sobol().sample(region := spread(constraint, denser).refined, region.units(count), 31 * seed + number)
        for number, (name, constraint) in enumerate(residuals.constraints.items())
    }
