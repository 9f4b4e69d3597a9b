"""Layers of a solution: where it changes over a short length along an input, and the points that resolve it there."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pinnlab.equations import Equation
from pinnlab.equations.constraints import Constraint, domain
from pinnlab.equations.domain import users
from pinnlab.equations.inputs import Vector, axis_names
from pinnlab.geometry import Points, Region, Source
from pinnlab.geometry.region import Pilot
from pinnlab.jets import IndexSet
from pinnlab.networks import Stretching
from pinnlab.networks.composed.stretched import density
from pinnlab.residuals import Residuals
from pinnlab.strategy.features import Features, Layered
from pinnlab.strategy.structure.window import Around, Observed

Layer = tuple[float, float]
"""The centre and the width of a layer along an input whose range is scaled to [−1, 1]."""

# Positions along an input, half of them uniform, and points of the other inputs, where lengths are measured.
_ALONG, _ACROSS = 400, 12
# A length that is this factor shorter than what the layers so far resolve is one more layer, up to so many.
_COVERED, _MOST = 1.5, 8
# Layers that the layers so far resolve but for this factor are no news.
_NEWS = 1.7
# What is longer than this part of half the range is no layer.
_THIN = 0.3
# Stretched coordinates that resolve the solution with hardly fewer waves do not pay.
_SAVING = 1.5
# The most inputs, and a map by which is tried whether points may move along an input.
_FEW_INPUTS = 4
_TRIED: tuple[Layer, ...] = ((0.3, 0.1),)
_TRIALS = 200


class Spread(Around):
    """A region whose points are denser where stretchings say; those of a region that cannot follow stay uniform.

    Args:
        base: The region.
        stretchings: For some coordinates their stretching, and the range that it scales to [−1, 1].
    """

    def __init__(self, base: Region, stretchings: Mapping[str, tuple[Stretching, float, float]]) -> None:
        super().__init__(base)
        self.stretchings = stretchings

    def place(self, n: int, source: Source) -> Points:
        """Points of the base, moved along the stretched coordinates if that leaves all of them in the region."""
        points = self.base.place(n, source)
        moved = dict(points)
        for name, (stretching, low, high) in self.stretchings.items():
            if name in points:
                scaled = (2 * points[name] - low - high) / (high - low)
                moved[name] = low + (stretching.inverse(scaled) + 1) * ((high - low) / 2)
        return moved if bool(self.base.contains(moved).all()) else points


def spread(constraint: Constraint, stretchings: Mapping[str, tuple[Stretching, float, float]]) -> Region:
    """The region of a constraint, with points that resolve the layers."""
    region = constraint.region
    if not stretchings or not constraint.local or region.given:
        return region
    if isinstance(region, Observed):
        return Observed(Spread(region.base, stretchings), region.columns)
    return Spread(region, stretchings)


def stretchable(equation: Equation, along: str | None) -> tuple[bool, ...]:
    """For each column of the inputs, whether its coordinates may be stretched.

    Points of the domain can move along a scalar input if its range is the same wherever the others are, as in a box. Of
    more than four inputs none is stretched: looking for layers would take as long as solving.

    Args:
        equation: The equation.
        along: Its time, if it has one: windows resolve it.
    """
    constraints = equation.constraints()
    region = constraints[domain(constraints)].region
    found: list[bool] = []
    for name in equation.inputs:
        if isinstance(name, Vector):
            found += [False] * name.dimension
            continue
        many = equation.dimension > _FEW_INPUTS
        if many or name == along or name not in region.names or region.dimension != equation.dimension:
            found.append(False)
            continue
        low, high = (float(end) for end in region.extent[name])
        points = region.place(_TRIALS, Pilot())
        moved = Spread(region, {name: (Stretching(_TRIED), low, high)}).place(_TRIALS, Pilot())
        found.append(not torch.equal(points[name], moved[name]))
    return tuple(found)


def layers(
    residuals: Residuals,
    sizes: Tensor,
    along: Mapping[int, Stretching],
    fixed: Mapping[str, float] | None = None,
) -> Layered:
    """For each column of the inputs, the layers of a solution along it.

    At a place x along an input the solution has the length

        ℓ(x) = min over the other inputs and the outputs u of (|∂ᵏu/∂xᵏ| / max |u|)^(−1/k),  k = 1, 2,

    in units of half the input's range. The place of the least length is a layer of that width. The next layer is where
    the density of the layers so far resolves the function worst, and so on while that is worse by more than half.

    Args:
        residuals: The solution.
        sizes: The sizes of the outputs, `(outputs,)`.
        along: The columns to look along, with the stretching that the solution has.
        fixed: Inputs that have one value, as the end of time.

    Returns:
        Empty for a column whose layers would save few waves.
    """
    equation = residuals.equation
    found: list[tuple[Layer, ...]] = [()] * len(axis_names(equation.inputs))
    for column, stretching in along.items():
        places, lengths = _lengths(residuals, sizes, column, stretching, fixed or {})
        found[column] = _greedy(places, lengths, stretching.periodic)
    return tuple(found)


def resolved(features: Features, new: Layered) -> bool:
    """Whether the coordinates of features resolve new layers nearly."""
    return all(
        _NEWS * width * float(density(torch.tensor([centre], dtype=torch.float64), old.layers, old.periodic)) >= 1
        for old, some in zip(features.stretchings(), new, strict=False)
        for centre, width in some
    )


def _lengths(
    residuals: Residuals, sizes: Tensor, column: int, stretching: Stretching, fixed: Mapping[str, float]
) -> tuple[Tensor, Tensor]:
    """Places along an input, scaled to [−1, 1], and the solution's length at each, at most 1."""
    equation, constraints = residuals.equation, residuals.constraints
    key = domain(constraints)
    region, name = constraints[key].region, axis_names(equation.inputs)[column]
    low, high = (float(end) for end in region.extent[name])
    even = torch.linspace(-1, 1, _ALONG // 2)
    places = torch.cat((even, stretching.inverse(even))).sort().values
    others = region.place(_ACROSS, Pilot(1))
    across = len(others[name])
    points = {
        other: torch.full_like(places, fixed[other]).repeat(across)
        if other in fixed
        else others[other].repeat_interleave(len(places), 0)
        for other in equation.inputs
    }
    points[name] = (low + (places + 1) * ((high - low) / 2)).repeat(across)
    orders = [tuple(k * (i == column) for i in range(equation.dimension)) for k in (1, 2)]
    with torch.no_grad():
        fields = residuals.fields(points, IndexSet.closure(orders))
    inverse = torch.ones_like(places)
    for number, output in enumerate(equation.outputs):
        if key in users(equation, output):
            for k, alpha in enumerate(orders, 1):
                size = fields[output].derivative(alpha).abs() * ((high - low) / 2) ** k / sizes[number]
                inverse = torch.maximum(inverse, size.reshape(across, -1).amax(0) ** (1 / k))
    return places, 1 / inverse


def _greedy(places: Tensor, lengths: Tensor, periodic: bool) -> tuple[Layer, ...]:
    found: list[Layer] = []
    if not bool(lengths.isfinite().all()):
        return ()
    while True:
        lacking = 1 / lengths / density(places, found, periodic)
        worst = int(lacking.argmax())
        if float(lacking[worst]) <= _COVERED or len(found) == _MOST:
            break
        found.append((float(places[worst]), float(lengths[worst])))
    # waves that resolve the worst place, in other coordinates and in stretched ones
    waves = Stretching(found, periodic).waves * max(1.0, float(lacking[worst]) / _COVERED)
    saved = float((1 / lengths).max()) * 2 / waves
    return tuple(found) if saved > _SAVING and float(lengths.min()) < _THIN else ()
