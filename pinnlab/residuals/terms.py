"""What the rows of a constraint are made of, and the factors on them that the configuration gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.residual.inference import required
from pinnlab.errors import UserError
from pinnlab.jets import Algebra
from pinnlab.residuals.sobolev import Sobolev, Weights
from pinnlab.residuals.weighting import Factors, Weighting, factors_of


@dataclass(frozen=True)
class Term:
    """What the rows of a constraint are made of.

    Attributes:
        indices: The derivatives of the network that its rows need.
        height: How many rows the residual has for a point, or for a group of nodes, in training.
        operators: Number of nodes -> the operators that the residual can ask for on these; None in a pickle.
    """

    indices: Algebra
    height: int
    operators: Mapping[int, Mapping[str, object]] | None = field(default_factory=dict)

    def __getstate__(self) -> dict[str, object]:
        """Without the operators, which are large and may have lambdas as kernels: the residuals make them anew."""
        return vars(self) | {"operators": None if self.operators else self.operators}

    def complete(self, constraint: Constraint) -> Term:
        """The same with its operators, where a copy or a pickle has left them out."""
        return self if self.operators is not None else replace(self, operators=constraint.built())


def term(equation: Equation, name: str, constraint: Constraint, factors: Factors) -> Term:
    """What the rows of a constraint need, found by a dry run of its residual; see `required`.

    Raises:
        UserError: if the residual is wrong.
    """
    operators = constraint.built()
    order = sum(factors.rows[-1][0])
    return Term(*required(equation, name, constraint, order, operators), operators)


def configured(
    equation: Equation,
    constraints: Mapping[str, Constraint],
    sobolev: Mapping[str, Sobolev] | None,
    weights: Mapping[str, float] | None,
) -> Weighting:
    """The weighting of the configuration, with sums over points in place of means.

    Args:
        equation: The equation.
        constraints: Its constraints.
        sobolev: Sobolev weightings by constraint, in place of the equation's own.
        weights: Factors by constraint, in place of the equation's own.

    Raises:
        UserError: if a name is not one of the constraints, or a weight is not positive and finite.
    """
    for given in (sobolev or {}, weights or {}):
        for name in given:
            if name not in constraints:
                raise UserError(f"{equation.name} has no constraint {name!r}; it has {', '.join(constraints)}")

    def factors(name: str, constraint: Constraint) -> Factors:
        q = ((sobolev or {}).get(name) or Weights(constraint.sobolev)).weights()
        weight = (weights or {}).get(name)
        return factors_of(name, equation.dimension, constraint.weight if weight is None else weight, q)

    return Weighting({name: factors(name, constraint) for name, constraint in constraints.items()})
