"""Which conditions of an equation can be built into a network, and why others stay in the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnlab.engines import Autograd
from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.domain import outside, solids
from pinnlab.equations.inputs import Vector
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region, concatenate, select, size
from pinnlab.geometry.levels import Level, Together, axis_face, level, shape_of
from pinnlab.geometry.region import Pilot
from pinnlab.residuals.hard.known_part import Ends, Known, Plan
from pinnlab.residuals.hard.trial import Condition, NotAffineError, conditions
from pinnlab.residuals.residuals import Residuals

# Points of a surface and of a region at which conditions are tried.
_TRIED, _INSIDE = 64, 512


@dataclass(frozen=True)
class BuiltIn:
    """Which conditions are built into a network.

    Attributes:
        hard: Constraint -> what of it is built in, in words.
        soft: Constraint -> why it stays in the loss alone.
    """

    hard: dict[str, str]
    soft: dict[str, str]

    def lines(self) -> list[str]:
        """What a person should know, one line for each constraint."""
        return [
            *(f"built in: {name} ({what})" for name, what in self.hard.items()),
            *(f"not built in: {name}, for {why}" for name, why in self.soft.items()),
        ]


@dataclass(frozen=True)
class _Placed:
    """A condition on one piece of the boundary."""

    condition: Condition
    surface: Region
    face: tuple[str, float] | None
    level: Level

    @property
    def words(self) -> str:
        output, along = self.condition.output, self.condition.along
        what = output if along is None else f"∂{output}/∂{along}"
        return f"{what} at {self.face[0]} = {self.face[1]:g}" if self.face else f"{what} on its part of the boundary"


def build_in(network: nn.Module, equation: Equation, wanted: bool | Sequence[str]) -> tuple[nn.Module, BuiltIn]:
    """The network with conditions of the equation built in: every network then satisfies them exactly.

    A condition can be built in if its residual is affine in one output, or in its first derivative along an input
    beside its value at the same place, with coefficients of the coordinates; and if it covers whole pieces of the
    boundary: faces of boxes, a start in time, circles, outlines of polygons. This is found out by trying the residual
    with numbers, and what was built is tried on the constraint before it is taken.

    Args:
        network: The network N.
        equation: The equation.
        wanted: Whether to build in all that can be, or the names of the constraints that must be.

    Returns:
        The network, around N, and what was built in.

    Raises:
        UserError: if a constraint that must be built in is unknown or cannot be.
    """
    constraints = equation.constraints()
    names = list(constraints) if isinstance(wanted, bool) else list(wanted)
    for name in names:
        if name not in constraints:
            raise UserError(f"hard: {equation.name} has no constraint {name!r}; it has {', '.join(constraints)}")
    regions = solids(equation)
    found: dict[str, list[_Placed]] = {}
    soft: dict[str, str] = {}
    for name in names:
        if name in regions:
            if not isinstance(wanted, bool):
                soft[name] = "it is an equation inside of the region, no condition on the boundary"
            continue
        try:
            found[name] = _placed(equation, name, constraints[name], regions)
        except NotAffineError as reason:
            soft[name] = str(reason)
    while True:
        plans = _plans(equation, found, soft)
        built = Known(network, equation, plans) if plans else network
        worst = _worst(built, equation, found)
        if worst is None:
            break
        soft[worst] = "it does not agree with others where they meet"
        del found[worst]
    if not isinstance(wanted, bool) and soft:
        name, why = next(iter(soft.items()))
        raise UserError(f"{equation.name}, constraint {name!r} cannot be built in: {why}")
    hard = {name: ", ".join(dict.fromkeys(each.words for each in placed)) for name, placed in found.items()}
    return built, BuiltIn(hard, soft)


def _placed(equation: Equation, name: str, constraint: Constraint, regions: Mapping[str, Region]) -> list[_Placed]:
    """The conditions of a constraint on the pieces of the boundary that it covers.

    Raises:
        NotAffineError: if one cannot be built in.
    """
    if any(isinstance(axis, Vector) for axis in equation.inputs):
        raise NotAffineError("an input is a vector")
    if not constraint.local or constraint.places:
        raise NotAffineError("its rows use more than one point")
    inside = concatenate([_coordinates(equation, region.place(_INSIDE, Pilot())) for region in regions.values()])
    given = constraint.region.place(max(_TRIED, constraint.points), Pilot())
    if not all(axis in given for axis in equation.inputs):
        raise NotAffineError("its region lacks an input")
    points = _coordinates(equation, given)
    surfaces = [s for s in _surfaces(regions) if _covers(equation, constraint.region, s)]
    on = torch.stack([torch.zeros(size(points), dtype=torch.bool), *(surface.contains(points) for surface in surfaces)])
    if not bool(on.any(0).all()):
        raise NotAffineError("its region is not made of whole sides of the boundary")
    found = []
    for condition in conditions(name, constraint.residual, points, equation.outputs):
        for surface in surfaces:
            face, function = axis_face(surface), level(surface, inside)
            if function is None:
                raise NotAffineError("a side of the boundary goes on within the region, or is of an unknown kind")
            if condition.along is not None and (face is None or face[0] != condition.along):
                raise NotAffineError(
                    f"a derivative along {condition.along} is built in where {condition.along} is fixed"
                )
            found.append(_Placed(condition, surface, face, function))
    return found


def _coordinates(equation: Equation, points: Points) -> Points:
    return {axis: points[axis] for axis in equation.inputs}


def _surfaces(regions: Mapping[str, Region]) -> list[Region]:
    """The pieces of the boundaries of the regions' solids, each once: constraints may share a solid."""
    found: list[Region] = []
    for region in regions.values():
        for solid in region.solids():
            try:
                pieces = solid.surfaces()
            except UserError:  # a kind of region that does not say what bounds it
                continue
            found += [piece for piece in pieces if not any(_same(piece, other) for other in found)]
    return found


def _same(a: Region, b: Region) -> bool:
    """Whether each of two surfaces holds the points of the other."""
    pairs = ((a, b), (b, a))
    return all(bool(one.contains(other.place(_TRIED, Pilot(1))).all()) for one, other in pairs)


def _covers(equation: Equation, region: Region, surface: Region) -> bool:
    """Whether a region holds all points of a surface that bound the equation's region.

    Raises:
        NotAffineError: if it holds some of them.
    """
    points = surface.place(_TRIED, Pilot(1))
    bounding = select(points, ~outside(equation, points))
    held = region.contains(bounding) if size(bounding) else torch.zeros(1, dtype=torch.bool)
    if bool(held.any()) and not bool(held.all()):
        raise NotAffineError("it covers a part of a side of the boundary")
    return bool(held.all())


def _plans(equation: Equation, found: dict[str, list[_Placed]], soft: dict[str, str]) -> dict[str, Plan]:
    """What is built in for each output; conditions that do not fit with others leave `found` for `soft`."""
    while True:
        reason = _conflict(found)
        if reason is None:
            break
        soft[reason[0]] = reason[1]
        del found[reason[0]]
    plans = {}
    for output in equation.outputs:
        placed = [each for each in _every(found) if each.condition.output == output]
        if placed:
            plans[output] = _plan(placed)
    return plans


def _every(found: Mapping[str, Sequence[_Placed]]) -> list[_Placed]:
    return [each for placed in found.values() for each in placed]


def _conflict(found: Mapping[str, Sequence[_Placed]]) -> tuple[str, str] | None:
    """A constraint that cannot be built in together with the others, and why; None if all can."""
    taken: set[tuple[str, str | None, object]] = set()
    values = {(e.condition.output, e.face) for e in _every(found) if e.condition.along is None}
    for name, placed in found.items():
        for each in placed:
            condition = each.condition
            if condition.along is not None:
                if (condition.output, each.face) not in values:
                    return name, "a derivative is built in beside a value at the same place alone"
                if condition.along in _bent(_every(found), condition.output):
                    return name, f"the boundary is curved along {condition.along}"
            key = (condition.output, condition.along, each.face or id(each.surface))
            if key in taken:
                return name, "another constraint gives the same value"
            taken.add(key)
    return None


def _bent(placed: Sequence[_Placed], output: str) -> set[str]:
    """The inputs that curved or slanted sides of the boundary depend on."""
    shapes = [shape_of(e.surface) for e in placed if e.condition.output == output and e.face is None]
    return {name for shape in shapes for name in shape.names}


def _plan(placed: Sequence[_Placed]) -> Plan:
    bent = _bent(placed, placed[0].condition.output)
    nodes: dict[str, dict[float, list[Condition]]] = {}
    groups: dict[Condition, list[Level]] = {}
    for each in placed:
        if each.face is None or each.face[0] in bent:
            groups.setdefault(each.condition, []).append(each.level)
        else:
            nodes.setdefault(each.face[0], {}).setdefault(each.face[1], []).append(each.condition)
    ends = [
        Ends(axis, tuple(at), tuple(tuple(sorted(given, key=lambda c: c.along is not None)) for given in at.values()))
        for axis, at in nodes.items()
    ]
    # ends with derivatives come first: their own values alone are then known
    ends.sort(key=lambda e: -max(map(len, e.given)))
    return Plan(tuple(ends), tuple((Together(tuple(levels)), condition) for condition, levels in groups.items()))


def _worst(built: nn.Module, equation: Equation, found: Mapping[str, Sequence[_Placed]]) -> str | None:
    """The constraint with the largest violation among those that should be built in; None if all are satisfied."""
    if not found:
        return None
    residuals = Residuals(built, equation, Autograd()).unweighted()
    errors = {}
    for name in found:
        constraint = equation.constraints()[name]
        points = constraint.region.place(max(_TRIED, len(found[name])), Pilot(2))
        with torch.enable_grad():
            rows = residuals({name: points})[name].detach()
        errors[name] = float(rows.abs().max()) if bool(rows.isfinite().all()) else math.inf
    worst = max(errors, key=errors.__getitem__)
    return worst if errors[worst] > _tolerance(next(built.parameters())) else None


def _tolerance(like: Tensor) -> float:
    return math.sqrt(torch.finfo(like.dtype).eps)
