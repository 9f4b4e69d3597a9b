"""What an equation is: named inputs and outputs, unknowns, and constraints with residuals."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region, Source
from pinnlab.jets import Algebra, Collapsed, Field, IndexSet, Jet, Probe
from pinnlab.jets.algebra import add
from pinnlab.jets.jet import assemble

Residual = Callable[..., Any]
"""A function of fields by name that returns a field, or a tuple of fields, that should vanish."""


class Vector(str):
    """The name of an input that is a vector: `inputs = ("t", Vector("x", 1000))`; its columns are `(N, dimension)`."""

    dimension: int

    def __new__(cls, name: str, dimension: int) -> Vector:
        """Names the input.

        Raises:
            UserError: if the dimension is not positive.
        """
        if dimension < 1:
            raise UserError(f"the vector {name!r} needs a positive dimension, got {dimension}")
        self = super().__new__(cls, name)
        self.dimension = dimension
        return self

    def __getnewargs__(self) -> tuple[str, int]:  # type: ignore[override]
        """For copies and pickles."""
        return str(self), self.dimension


@dataclass(frozen=True)
class Constraint:
    """A residual that should vanish on a region.

    Attributes:
        region: Where.
        residual: The residual; its argument names are inputs, outputs, unknowns or columns of the points.
        points: How many collocation points to take unless the configuration says otherwise.
        sobolev: The weights (Q_0, …, Q_m) of |∇^j F|² in the loss, unless the configuration says otherwise.
        weight: A factor on the constraint's loss, unless the configuration says otherwise.
    """

    region: Region
    residual: Residual
    points: int = 128
    sobolev: Sequence[float] = (1.0,)
    weight: float = 1.0


class Equation(nn.Module, ABC):
    """A differential equation with its conditions, on named inputs and outputs.

    A subclass names its inputs and outputs and returns its constraints; unknowns are attributes. Constraints come
    from a method and are not stored, so that copies of an equation use their own parameters.
    """

    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar[tuple[str, ...]]

    @property
    def dimension(self) -> int:
        """The number of coordinate axes: inputs, vectors counted with their dimension."""
        return sum(map(size, self.inputs))

    @abstractmethod
    def constraints(self) -> dict[str, Constraint]:
        """What the solution satisfies, by name."""

    @property
    def name(self) -> str:
        """What the equation is called: its class name."""
        return type(self).__name__

    def unknowns(self) -> dict[str, Unknown]:
        """The unknowns by attribute name."""
        return {name: child for name, child in self.named_children() if isinstance(child, Unknown)}

    def exact(self, *coordinates: Any) -> Any:
        """The exact solution, where it is known: a subclass defines it over its inputs, by name.

        Written like a residual, with torch functions on fields, it gives the exact derivatives as well. Returns
        a field, or a tuple of fields in the order of the outputs.
        """
        raise NotImplementedError

    @property
    def solved(self) -> bool:
        """Whether the exact solution is known."""
        return type(self).exact is not Equation.exact

    def solution(self, points: Points, order: int = 0) -> dict[str, Field]:
        """The exact outputs as jets with all derivatives up to `order`, by output name.

        Raises:
            UserError: if the exact solution is not known.
        """
        if not self.solved:
            raise UserError(f"{self.name} has no exact solution")
        indices = IndexSet.simplex(self.dimension, order)
        where, axes = assemble({name: points[name] for name in self.inputs})
        seed = Jet.seed(where, indices).coefficients
        fields = {
            name: Jet(seed[..., a if isinstance(a, int) else slice(a.start, a.stop)], indices, a)
            for name, a in axes.items()
        }
        values = self.exact(**resolve(self.exact, fields, self.name))
        return dict(zip(self.outputs, values if isinstance(values, tuple) else (values,), strict=True))

    def check(self) -> None:
        """Says what is wrong with the declaration, before anything is trained.

        Raises:
            UserError: if names are missing or used twice, or there are no constraints.
        """
        for attribute in ("inputs", "outputs"):
            names = getattr(self, attribute, None)
            if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
                raise UserError(f"{self.name}.{attribute} must be a tuple of names, like ('x',)")
        names = [*self.inputs, *self.outputs, *self.unknowns()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UserError(f"{self.name} uses the name {twice[0]!r} for more than one input, output or unknown")
        if not self.constraints():
            raise UserError(f"{self.name} has no constraints")


def resolve(function: Residual, available: Mapping[str, object], where: str) -> dict[str, object]:
    """The arguments that a function of named fields asks for; one with a default may be missing.

    Raises:
        UserError: if it asks for a name that is not available.
    """
    chosen = {}
    for name, needed in _parameters(function):
        if name not in available:
            if not needed:
                continue
            raise UserError(
                f"{where}: the function {getattr(function, '__name__', 'residual')} asks for {name!r}, which is not "
                f"among its variables ({', '.join(available)})"
            )
        chosen[name] = available[name]
    return chosen


def _parameters(function: Residual) -> tuple[tuple[str, bool], ...]:
    bound = getattr(function, "__func__", function)
    names = _signature(bound)
    return names[1:] if bound is not function else names


@lru_cache(maxsize=1024)
def _signature(function: Residual) -> tuple[tuple[str, bool], ...]:
    """The parameters' names, and whether each is needed: has no default."""
    parameters = inspect.signature(function).parameters.values()
    return tuple((p.name, p.default is inspect.Parameter.empty) for p in parameters)


def components(result: object, where: str) -> tuple[Field, ...]:
    """What a residual returned, as a tuple of fields.

    Raises:
        UserError: if it is not a field or a tuple of fields.
    """
    parts = result if isinstance(result, tuple | list) else (result,)
    if not parts or not all(isinstance(part, Field) for part in parts):
        raise UserError(
            f"{where}: the residual must return a field or a tuple of fields, built from the arguments it is "
            f"given; it returned {type(result).__name__}"
        )
    return tuple(parts)


def size(name: str) -> int:
    """The number of axes of an input."""
    return name.dimension if isinstance(name, Vector) else 1


def axes(inputs: Sequence[str]) -> dict[str, int | range]:
    """The coordinate axis of every input, of a vector its range of axes."""
    found: dict[str, int | range] = {}
    first = 0
    for name in inputs:
        found[name] = range(first, first + name.dimension) if isinstance(name, Vector) else first
        first += size(name)
    return found


def axis_names(inputs: Sequence[str]) -> tuple[str, ...]:
    """The names of all axes in their order: the inputs' own, and `x.0`, `x.1`, … for the components of a vector x."""
    parts = ([f"{name}.{i}" for i in range(name.dimension)] if isinstance(name, Vector) else [name] for name in inputs)
    return tuple(name for part in parts for name in part)


def by_axis(columns: Mapping[str, Any], inputs: Sequence[str]) -> dict[str, Any]:
    """The columns of inputs by the names of axes: of a vector `(…, d)` its d components, each `(…)`."""
    found: dict[str, Any] = {}
    for name in inputs:
        if isinstance(name, Vector):
            found |= {f"{name}.{i}": columns[name][..., i] for i in range(name.dimension)}
        else:
            found[name] = columns[name]
    return found


def from_axes(columns: Mapping[str, np.ndarray], inputs: Sequence[str]) -> dict[str, np.ndarray]:
    """The inputs from columns by the names of axes, `(…)` each: of a vector `(…, d)`; the inverse of `by_axis`."""
    parts = {name: [columns[part] for part in axis_names([name])] for name in inputs}
    return {name: np.stack(part, -1) if isinstance(name, Vector) else part[0] for name, part in parts.items()}


def required(equation: Equation, name: str, constraint: Constraint, order: int) -> tuple[Algebra, int]:
    """The derivatives of the network that a constraint needs for ∇^j of its residual, j ≤ order.

    Found by running the residual once on symbolic probes.

    Returns:
        The index set, and the number of fields that the residual returns.

    Raises:
        UserError: if the residual asks for unknown names, branches on values or returns no field.
    """
    dimension = equation.dimension
    count = 2
    where = f"{equation.name}, constraint {name!r}"
    sample = {column: values[:1].expand(count, *values.shape[1:]) for column, values in _sample(constraint).items()}
    variables: dict[str, object] = {**columns(equation, sample, where)}
    for coordinate, axis in axes(equation.inputs).items():
        shape = (count,) if isinstance(axis, int) else (count, len(axis))
        variables[coordinate] = Probe.coordinate(shape, dimension, axis)
    for output in equation.outputs:
        variables[output] = Probe.output((count,), dimension)
    variables.update({unknown: child.value.detach() for unknown, child in equation.unknowns().items()})
    arguments = resolve(constraint.residual, variables, where)
    try:
        parts = components(constraint.residual(**arguments), where)
    except (RuntimeError, NotImplementedError) as error:
        if "meta" in str(error):
            raise UserError(
                f"{where}: the residual branches on the values of a field, or turns them into numbers, and may not"
            ) from error
        raise
    probes = [part for part in parts if isinstance(part, Probe)]
    groups = frozenset().union(*(probe.laplacians for probe in probes))
    if order == 0 and len(groups) == 1:
        alone = frozenset().union(*(probe.shifts for probe in probes))
        collapsed = Collapsed.over(next(iter(groups)), [(0,) * dimension, *alone], dimension)
        if collapsed is not None:
            return collapsed, len(parts)
    shifts = frozenset().union(*(probe.written_out() for probe in probes))
    own = IndexSet.simplex(dimension, order)
    indices = IndexSet.closure([*own, *(add(alpha, shift) for alpha in own for shift in shifts)])
    return indices, len(parts)


def domain(constraints: Mapping[str, Constraint]) -> str:
    """The constraint whose region is the domain: of the highest dimension, and of these the largest."""
    return max(constraints, key=lambda name: (constraints[name].region.dimension, constraints[name].region.measure))


class _Random(Source):
    """Uniform draws: enough to see which columns a region's points have."""

    nested = True

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def unit(self, n: int, dimension: int) -> Tensor:
        return torch.rand(n, dimension, generator=torch.Generator().manual_seed(self.seed))

    def split(self, index: int) -> Source:
        return _Random(self.seed + index + 1)


def _sample(constraint: Constraint) -> Points:
    return constraint.region.place(max(constraint.points, 1), _Random(0))


def columns(equation: Equation, points: Points, where: str) -> dict[str, Tensor]:
    """The columns of the points that are not inputs: normals, data.

    Raises:
        UserError: if an input has no column, or a column hides an output or unknown.
    """
    missing = [name for name in equation.inputs if name not in points]
    if missing:
        raise UserError(f"{where}: the region has no coordinate {missing[0]!r} (it has {', '.join(points)})")
    extra = {name: column for name, column in points.items() if name not in equation.inputs}
    taken: Iterable[str] = (*equation.outputs, *equation.unknowns())
    hidden = [name for name in extra if name in taken]
    if hidden:
        raise UserError(f"{where}: the column {hidden[0]!r} of the points has the name of an output or unknown")
    return extra
