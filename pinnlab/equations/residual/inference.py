"""Which derivatives of the network a constraint needs, found by a dry run of its residual on symbolic probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinnlab.equations.constraints import Constraint
from pinnlab.equations.places import There
from pinnlab.equations.residual.acting import acting
from pinnlab.equations.residual.arguments import columns, components, coordinates, elsewhere, resolve
from pinnlab.equations.residual.shapes import check_column, check_component
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Source, size
from pinnlab.jets import Algebra, Collapsed, IndexSet, Probe
from pinnlab.jets.series.algebra import add
from pinnlab.jets.values import BRANCHES, Origin, Values

if TYPE_CHECKING:
    from pinnlab.equations.base import Equation

# A number of points that no residual uses for anything else: a dimension of this size counts the points.
_POINTS = 1009


def required(
    equation: Equation,
    name: str,
    constraint: Constraint,
    order: int,
    operators: Mapping[int, Mapping[str, object]] | None = None,
) -> tuple[Algebra, int]:
    """The derivatives of the network that a constraint needs for ∇^j of its residual, j ≤ order.

    Found by running the residual once on symbolic probes; where rows use all nodes, on the nodes of training and of the
    evaluation.

    Args:
        equation: The equation.
        name: The name of the constraint.
        constraint: The constraint.
        order: The highest derivative of the residual in the loss.
        operators: Number of nodes -> the operators that the residual can ask for on these.

    Returns:
        The index set, and the number of rows that the residual has for a point or a group.

    Raises:
        UserError: if the residual asks for unknown names, branches on values or returns no field.
    """
    dimension = equation.dimension
    where = f"{equation.name}, constraint {name!r}"
    runs = []
    for sample in _samples(constraint):
        own = (operators or {}).get(size(sample), {})
        runs.append(_dry_run(equation, constraint, sample, own, where))
    for parts in runs:
        for number, probe in enumerate(parts, 1):
            check_component(probe, f"{where}, component {number} of the residual" if len(parts) > 1 else where, order)
    probes = runs[0]
    rows = sum(1 if constraint.local else probe.shape.numel() for probe in probes)
    groups = frozenset().union(*(probe.laplacians for probe in probes))
    if order == 0 and len(groups) == 1:
        alone = frozenset().union(*(probe.shifts for probe in probes))
        collapsed = Collapsed.over(next(iter(groups)), [(0,) * dimension, *alone], dimension)
        if collapsed is not None:
            return collapsed, rows
    shifts = frozenset().union(*(probe.written_out() for probe in probes))
    simplex = IndexSet.simplex(dimension, order)
    indices = IndexSet.closure([*simplex, *(add(alpha, shift) for alpha in simplex for shift in shifts)])
    return indices, rows


def _dry_run(
    equation: Equation, constraint: Constraint, sample: Points, operators: Mapping[str, object], where: str
) -> list[Probe]:
    """The result of the residual for symbolic probes."""
    own = acting(operators, equation.inputs, next(iter(sample.values())))
    variables = {**_symbols(equation, constraint, sample, where), **own}
    arguments = resolve(constraint.residual, variables, where)
    try:
        parts = components(constraint.residual(**arguments), where)
    except UserError as error:
        text = str(error)
        raise UserError(text if text.startswith(where) else f"{where}: {text}") from error
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        text = " ".join(str(error).split())
        if "meta" in text:
            raise UserError(f"{where}: {BRANCHES}") from error
        if "Probe" in text:  # what stands for a field here
            raise UserError(
                f"{where}: {text.replace('Probe', 'field')}; write residuals with torch's functions of their arguments"
            ) from error
        raise
    return [part for part in parts if isinstance(part, Probe)]


def _symbols(equation: Equation, constraint: Constraint, sample: Points, where: str) -> dict[str, object]:
    """The arguments of a residual in its dry run: probes, values of data columns, and the unknowns."""
    together = not constraint.local
    count = size(sample) if together else _POINTS + equation.dimension
    variables: dict[str, object] = {}
    for name, column in columns(equation, sample, where).items():
        check_column(name, column, where)
        data = column if together else column[:1].expand(count, *column.shape[1:])
        origin = Origin(frozenset((f"the column {name!r}",)), count, together=together)
        variables[name] = Values.of(data, origin)
    for name, column in coordinates(equation, sample, where).items():
        check_column(name, column, where)
    variables |= _fields(equation, sample, count, together, "", "")
    for name, place in constraint.places.items():
        moves = _translates(equation, place, sample, f"{where}, place {name!r}")
        variables[name] = There(name, _fields(equation, sample, count, together, "" if moves else name, f"{name}."))
    return variables | {unknown: child.value.detach() for unknown, child in equation.unknowns().items()}


def _fields(
    equation: Equation, sample: Points, count: int, together: bool, place: str, prefix: str
) -> dict[str, Probe]:
    """Inputs and outputs at one place."""
    found: dict[str, Probe] = {}
    axis = 0
    for name, column in coordinates(equation, sample, equation.name).items():
        axes = axis if column.ndim == 1 else range(axis, axis + column.shape[1])
        shape = (count, *column.shape[1:])
        found[name] = Probe.coordinate(shape, equation.dimension, axes, f"{prefix}{name}", place, together)
        axis += 1 if column.ndim == 1 else column.shape[1]
    for output in equation.outputs:
        found[output] = Probe.output((count,), equation.dimension, f"{prefix}{output}", place, together)
    return found


def _translates(equation: Equation, place: object, sample: Points, where: str) -> bool:
    """Whether a place keeps its distance when the points move, so that derivatives there are derivatives here."""
    step = {name: 0.1 + 0.01 * number for number, name in enumerate(equation.inputs)}
    moved = {name: column + step[name] if name in step else column for name, column in sample.items()}
    here, there = (elsewhere(equation, place, points, where) for points in (sample, moved))
    return all(
        torch.allclose(there[name] - here[name], torch.full_like(here[name], step[name]), rtol=0, atol=1e-6)
        for name in equation.inputs
    )


def _samples(constraint: Constraint) -> list[Points]:
    """Points as a residual sees them: some of a region, or the nodes of training and of the evaluation."""
    region = constraint.region
    found = [constraint.parts(region.place(max(constraint.points, 1), _Random(0)))[0]]
    if region.refined is not region:
        fine = constraint.parts(region.refined.place(1, _Random(0)))[0]
        found += [fine] if size(fine) != size(found[0]) and region.given else []
    return found


class _Random(Source):
    """Uniform draws: enough to see which columns a region's points have."""

    nested = True

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def unit(self, n: int, dimension: int) -> Tensor:
        return torch.rand(n, dimension, generator=torch.Generator().manual_seed(self.seed))

    def split(self, index: int) -> Source:
        return _Random(self.seed + index + 1)
