"""What an equation is: named inputs and outputs, unknowns, and constraints with residuals."""

from __future__ import annotations

import copy
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from pinnlab.construction import Constructed
from pinnlab.equations.exact import exact_fields
from pinnlab.equations.inputs import Vector as Vector
from pinnlab.equations.inputs import size
from pinnlab.equations.names import check_attributes, check_constraints, check_variables
from pinnlab.equations.shapes import check_column, check_component
from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region, Source
from pinnlab.jets import Algebra, Collapsed, Field, IndexSet, Jet, Probe
from pinnlab.jets.algebra import add
from pinnlab.jets.jet import assemble
from pinnlab.jets.values import BRANCHES, Origin, Values

Residual = Callable[..., Any]
"""A function of fields by name that returns a field, or a tuple of fields, that should vanish."""


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


class Equation(Constructed, nn.Module, ABC):
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
        a field, or a tuple of fields in the order of the outputs; a number is a constant field.
        """
        raise NotImplementedError

    @property
    def solved(self) -> bool:
        """Whether the exact solution is known."""
        return type(self).exact is not Equation.exact

    def solution(self, points: Points, order: int = 0) -> dict[str, Field]:
        """The exact outputs as jets with all derivatives up to `order`, by output name.

        Raises:
            UserError: if the exact solution is not known, fails, or is not a field `(N,)` or number for each output.
        """
        if not self.solved:
            raise UserError(f"{self.name} has no exact solution")
        indices = IndexSet.simplex(self.dimension, order)
        where, axes = assemble(coordinates(self, points, self.name))
        seed = Jet.seed(where, indices).coefficients
        fields = {
            name: Jet(seed[..., a if isinstance(a, int) else slice(a.start, a.stop)], indices, a)
            for name, a in axes.items()
        }
        arguments = resolve(self.exact, fields, self.name)
        try:
            values = self.exact(**arguments)
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"{self.name}.exact fails: {type(error).__name__}: {' '.join(str(error).split())}; write it with torch "
                "functions of its arguments, as torch.exp(-t)"
            ) from error
        return exact_fields(f"{self.name}.exact", self.outputs, values, Jet(seed[..., 0], indices) * 0)

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute.

        Raises:
            UserError: if it is one that every equation has, or an unknown is set before `super().__init__()`.
        """
        own = getattr(type(self), name, None)
        if isinstance(own, property) and own.fset is None:
            raise UserError(
                f"{type(self).__name__}: every equation has {name!r} already; choose another name for the attribute"
            )
        if isinstance(value, nn.Module | nn.Parameter) and "_modules" not in vars(self):
            raise UserError(
                f"{type(self).__name__}.__init__ must begin with super().__init__(), before {name!r} is set"
            )
        super().__setattr__(name, value)

    def check(self) -> None:
        """Says what is wrong with the declaration, before anything is trained.

        Raises:
            UserError: if names are missing, used twice, taken or not usable, if `super().__init__()` was not called, or
                the constraints are not what they should be.
        """
        if "_modules" not in vars(self):
            raise UserError(f"{type(self).__name__}.__init__ must begin with super().__init__()")
        for attribute in ("dimension", "unknowns", "solved", "solution"):
            if getattr(type(self), attribute) is not getattr(Equation, attribute):
                raise UserError(
                    f"{self.name}: every equation has {attribute!r} already; choose another name for this one"
                )
        for attribute in ("inputs", "outputs"):
            names = getattr(self, attribute, None)
            if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
                raise UserError(f"{self.name}.{attribute} must be a tuple of names, like ('x',)")
        check_variables(self.name, self.inputs, self.outputs, self.unknowns())
        check_attributes(self.name, type(self), self.unknowns())
        constraints = self.constraints()
        if not isinstance(constraints, Mapping):
            raise UserError(f"{self.name}.constraints() must return a dictionary of Constraint by name")
        if not constraints:
            raise UserError(f"{self.name} has no constraints")
        check_constraints(self.name, constraints)
        for name, constraint in constraints.items():
            if not isinstance(constraint, Constraint):
                raise UserError(f"{self.name}, constraint {name!r}: give a Constraint, not {type(constraint).__name__}")
            if not isinstance(constraint.region, Region) or not callable(constraint.residual):
                raise UserError(
                    f"{self.name}, constraint {name!r}: a Constraint takes a region and a function, as "
                    f"Constraint(Box(x=(0, 1)), self.residual); got {type(constraint.region).__name__} and "
                    f"{type(constraint.residual).__name__}"
                )


def twin(equation: Equation) -> Equation:
    """A copy with parameters of its own, which shares data and all else that training leaves alone."""
    found = copy.copy(equation)
    for kind in ("_parameters", "_buffers", "_modules"):
        vars(found)[kind] = {name: copy.deepcopy(value) for name, value in vars(equation)[kind].items()}
    return found


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
        wrong = next((part for part in parts if not isinstance(part, Field)), result)
        within = " among its components" if isinstance(result, tuple | list) and parts else ""
        kind = "Tensor" if isinstance(wrong, Tensor) else type(wrong).__name__
        raise UserError(
            f"{where}: the residual must return a field or a tuple of fields, built from the arguments it is "
            f"given; it returned {kind}{within}"
            + (", values without a network behind them" if isinstance(wrong, Values) else "")
        )
    return tuple(parts)


def required(equation: Equation, name: str, constraint: Constraint, order: int) -> tuple[Algebra, int]:
    """The derivatives of the network that a constraint needs for ∇^j of its residual, j ≤ order.

    Found by running the residual once on symbolic probes.

    Returns:
        The index set, and the number of fields that the residual returns.

    Raises:
        UserError: if the residual asks for unknown names, branches on values or returns no field.
    """
    dimension = equation.dimension
    where = f"{equation.name}, constraint {name!r}"
    variables = _symbols(equation, constraint, where)
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
    probes = [part for part in parts if isinstance(part, Probe)]
    for number, probe in enumerate(probes, 1):
        check_component(probe, f"{where}, component {number} of the residual" if len(parts) > 1 else where, order)
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


# A number of points that is unlike any other number in a residual, so that what has an entry for each is known by it.
_POINTS = 1009


def _symbols(equation: Equation, constraint: Constraint, where: str) -> dict[str, object]:
    """What a residual can ask for, in its dry run: probes, values of the columns that are data, and the unknowns."""
    dimension = equation.dimension
    count = _POINTS + dimension
    sample = _sample(constraint)
    variables: dict[str, object] = {}
    for name, column in columns(equation, sample, where).items():
        check_column(name, column, where)
        data = column[:1].expand(count, *column.shape[1:])
        variables[name] = Values.of(data, Origin(frozenset((f"the column {name!r}",)), count))
    axis = 0
    for name, column in coordinates(equation, sample, where).items():
        check_column(name, column, where)
        shape = (count, *column.shape[1:])
        axes = axis if column.ndim == 1 else range(axis, axis + column.shape[1])
        variables[name] = Probe.coordinate(shape, dimension, axes, name)
        axis += 1 if column.ndim == 1 else column.shape[1]
    for output in equation.outputs:
        variables[output] = Probe.output((count,), dimension, output)
    return variables | {unknown: child.value.detach() for unknown, child in equation.unknowns().items()}


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


def coordinates(equation: Equation, points: Points, where: str) -> dict[str, Tensor]:
    """The columns of the points that are inputs: `(N,)`, and `(N, d)` for a vector of dimension d.

    Raises:
        UserError: if a column has another shape.
    """
    found = {}
    for name in equation.inputs:
        column = points[name]
        if isinstance(name, Vector) and column.ndim == name.dimension == 1:
            column = column[:, None]
        expected = (len(column), name.dimension) if isinstance(name, Vector) else (len(column),)
        if column.shape != expected:
            shape = f"(N, {name.dimension})" if isinstance(name, Vector) else "(N,)"
            raise UserError(
                f"{where}: the column of the input {name!r} has the shape {tuple(column.shape)}, not {shape}"
            )
        found[name] = column
    return found
