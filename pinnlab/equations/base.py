"""Equations: named inputs and outputs, unknowns, and constraints with residuals."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from torch import nn

from pinnlab.construction import Constructed
from pinnlab.equations.constraints import Constraint as Constraint
from pinnlab.equations.exact import exact_fields, reference_fields
from pinnlab.equations.inputs import Vector as Vector
from pinnlab.equations.inputs import size
from pinnlab.equations.names import check_attributes, check_constraints, check_own, check_variables
from pinnlab.equations.residual.arguments import coordinates, resolve
from pinnlab.equations.unknowns import Unknown
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region
from pinnlab.jets import Field, IndexSet, Jet
from pinnlab.jets.jet import assemble


class Equation(Constructed, nn.Module, ABC):
    """A differential equation with its conditions, on named inputs and outputs.

    A subclass names its inputs and outputs and returns its constraints; unknowns are attributes. Constraints come
    from a method and are not stored, so that copies of an equation use their own parameters.

    Example:
        u' = −u on [0, 2] with u(0) = 1, and its exact solution:

        >>> import torch
        >>> from pinnlab.equations import Constraint, Equation
        >>> from pinnlab.geometry import Interval
        >>> class Decay(Equation):
        ...     inputs, outputs = ("t",), ("u",)
        ...
        ...     def constraints(self):
        ...         line = Interval(t=(0, 2))
        ...         return {
        ...             "ode": Constraint(line, lambda t, u: u.d(t) + u),
        ...             "start": Constraint(line.face("t", 0), lambda u: u - 1),
        ...         }
        ...
        ...     def exact(self, t):
        ...         return torch.exp(-t)
        >>> Decay().check()
        >>> u = Decay().solution({"t": torch.tensor([0.0, 1.0])}, order=1)["u"]
        >>> u.coefficients
        tensor([[ 1.0000,  0.3679],
                [-1.0000, -0.3679]])
    """

    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar[tuple[str, ...]]

    @property
    def dimension(self) -> int:
        """The number of coordinate axes: inputs, vectors counted with their dimension."""
        return sum(map(size, self.inputs))

    @abstractmethod
    def constraints(self) -> dict[str, Constraint]:
        """The constraints that the solution satisfies, by name."""

    @property
    def name(self) -> str:
        """The name of the equation: its class name."""
        return type(self).__name__

    def unknowns(self) -> dict[str, Unknown]:
        """The unknowns by attribute name."""
        return {name: child for name, child in self.named_children() if isinstance(child, Unknown)}

    def exact(self, *coordinates: Any) -> Any:
        """The exact solution, if it is known: a subclass defines it as a function of its inputs, by name.

        Written like a residual, with torch functions on fields, it gives the exact derivatives as well. Returns
        a field, or a tuple of fields in the order of the outputs; a number is a constant field.
        """
        raise NotImplementedError

    def reference(self, *coordinates: Any) -> Any:
        """The true solution as numbers, if it is known by another method: a subclass without `exact` defines it.

        A function of its inputs, by name: each comes as an array `(N,)` of float64, a vector as `(N, d)`. Returns an
        array `(N,)`, or a tuple of arrays in the order of the outputs. It has no derivatives.
        """
        raise NotImplementedError

    @property
    def solved(self) -> bool:
        """Whether the true solution is known, by `exact` or by `reference`."""
        return self._has_formula or type(self).reference is not Equation.reference

    @property
    def known_order(self) -> int | None:
        """The order up to which derivatives of the true solution are known; None is every order."""
        return None if self._has_formula else 0

    @property
    def _has_formula(self) -> bool:
        return type(self).exact is not Equation.exact

    def solution(self, points: Points, order: int = 0) -> dict[str, Field]:
        """The true outputs as jets with all derivatives up to `order`, by output name.

        Raises:
            UserError: if the solution is not known, fails, or is not a field or number for each output (an array or
                number of a `reference`), or if derivatives of a `reference` are asked for.
        """
        if not self.solved:
            raise UserError(f"{self.name} has no exact solution and no reference")
        if order and self.known_order is not None:
            raise UserError(f"the solution of {self.name} is known by its reference, which has no derivatives")
        columns = coordinates(self, points, self.name)
        where, axes = assemble(columns)
        seed = Jet.seed(where, IndexSet.simplex(self.dimension, order))
        zero = seed[:, 0] * 0
        if self._has_formula:
            fields = {name: seed.coordinate(axis) for name, axis in axes.items()}
            values = self._evaluated(
                self.exact, fields, "write it with torch functions of its arguments, as torch.exp(-t)"
            )
            return exact_fields(f"{self.name}.exact", self.outputs, values, zero)
        arrays = {name: column.detach().cpu().double().numpy() for name, column in columns.items()}
        values = self._evaluated(self.reference, arrays, "it is given arrays of numpy by the names of the inputs")
        return reference_fields(f"{self.name}.reference", self.outputs, values, zero)

    def _evaluated(self, function: Callable[..., Any], available: Mapping[str, object], advice: str) -> Any:
        """What `exact` or `reference` returns, with its failure in one line."""
        arguments = resolve(function, available, self.name)
        try:
            return function(**arguments)
        except UserError:
            raise
        except Exception as error:
            words = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise UserError(f"{self.name}.{function.__name__} fails: {words}; {advice}") from error

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
        """Checks the declaration, before anything is trained.

        Raises:
            UserError: if names are missing, used twice, taken or not usable, if `super().__init__()` was not called, or
                the constraints are no dictionary of `Constraint` with regions and functions.
        """
        if "_modules" not in vars(self):
            raise UserError(f"{type(self).__name__}.__init__ must begin with super().__init__()")
        for attribute in ("dimension", "unknowns", "solved", "known_order", "solution"):
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
        taken = (*self.inputs, *self.outputs, *self.unknowns())
        for name, constraint in constraints.items():
            if not isinstance(constraint, Constraint):
                raise UserError(f"{self.name}, constraint {name!r}: give a Constraint, not {type(constraint).__name__}")
            if not isinstance(constraint.region, Region) or not callable(constraint.residual):
                raise UserError(
                    f"{self.name}, constraint {name!r}: a Constraint takes a region and a function, as "
                    f"Constraint(Box(x=(0, 1)), self.residual); got {type(constraint.region).__name__} and "
                    f"{type(constraint.residual).__name__}"
                )
            check_own(f"{self.name}, constraint {name!r}", taken, (*constraint.places, *constraint.asked))


def twin(equation: Equation) -> Equation:
    """A copy with parameters, buffers and modules of its own, which shares all other attributes, such as data.

    Example:
        >>> from pinnlab.problems import Blasius
        >>> blasius = Blasius()
        >>> copy_of_it = twin(blasius)
        >>> copy_of_it.shear.value is blasius.shear.value, copy_of_it.shear.value == blasius.shear.value
        (False, tensor(True))
    """
    of_every_module = vars(nn.Module())
    shared = {id(value): value for name, value in vars(equation).items() if name not in of_every_module}
    return copy.deepcopy(equation, shared)
