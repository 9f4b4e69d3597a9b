"""From points to weighted residual blocks; the loss is the sum of their squares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnlab.engines import Engine
from pinnlab.equations.base import Constraint, Equation, columns, components, coordinates, required, resolve
from pinnlab.errors import UserError
from pinnlab.geometry import Points, size
from pinnlab.jets import Algebra, Field, IndexSet
from pinnlab.residuals.elimination import Affine, Exchange, Reduced, eliminate
from pinnlab.residuals.sobolev import Sobolev, Weights
from pinnlab.residuals.weighting import Factors, Weighting, factors_of


@dataclass(frozen=True)
class Term:
    """What the rows of a constraint are made of.

    Attributes:
        indices: The derivatives of the network that its rows need.
        components: How many fields the residual returns.
    """

    indices: Algebra
    components: int


class Residuals(nn.Module):
    """The residual blocks of an equation for a network under a derivative engine.

    For each constraint, a block `(rows, N)`: the derivatives ∂^α F of every component of its residual at N
    points, scaled so that the sum of squares of the block is the constraint's loss

        weight · Σ_j Q_j · (1/N) Σ_i |∇^j F(x_i)|².

    All factors on rows are in a `Weighting`, which every evaluation may be given. The module holds the network and the
    equation, so that its parameters are all there are: weights and unknowns.

    Attributes:
        weighting: That of the configuration, with sums over points in place of means.
        terms: What the rows of each constraint are made of.
    """

    def __init__(
        self,
        network: nn.Module,
        equation: Equation,
        engine: Engine,
        sobolev: Mapping[str, Sobolev] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        """Finds out which derivatives every constraint needs, by a dry run on symbolic probes.

        Args:
            network: Maps `(N, len(inputs))` to `(N, len(outputs))`.
            equation: What to solve.
            engine: How to differentiate.
            sobolev: Sobolev weightings by constraint, in place of the equation's own.
            weights: Factors by constraint, in place of the equation's own.

        Raises:
            UserError: if the equation's declaration is wrong, or a name is not one of its constraints.
        """
        super().__init__()
        equation.check()
        self.network = network
        self.equation = equation
        self.engine = engine
        constraints = equation.constraints()
        for given in (sobolev or {}, weights or {}):
            for name in given:
                if name not in constraints:
                    raise UserError(f"{equation.name} has no constraint {name!r}; it has {', '.join(constraints)}")
        self.weighting = Weighting(
            {
                name: _factors(equation, name, constraint, (sobolev or {}).get(name), (weights or {}).get(name))
                for name, constraint in constraints.items()
            }
        )
        self.terms = {
            name: Term(*required(equation, name, constraint, sum(self.weighting[name].rows[-1][0])))
            for name, constraint in constraints.items()
        }

    def fields(self, points: Points, indices: Algebra) -> dict[str, Field]:
        """The coordinates and outputs as fields at the points, with the given derivatives."""
        inputs = coordinates(self.equation, points, self.equation.name)
        return self.engine.fields(self.network, inputs, self.equation.outputs, indices)

    def variables(self, name: str, points: Points) -> dict[str, object]:
        """What a constraint's residual can ask for, but for the unknowns: columns of the points, and fields."""
        where = f"{self.equation.name}, constraint {name!r}"
        return {**columns(self.equation, points, where), **self.fields(points, self.terms[name].indices)}

    def rows(
        self,
        name: str,
        variables: Mapping[str, object],
        unknowns: Mapping[str, Tensor],
        factors: Factors,
        constraints: Mapping[str, Constraint] | None = None,
    ) -> Tensor:
        """One constraint's weighted rows, `(rows, N)`.

        Args:
            name: The constraint.
            variables: What its residual can ask for, from `variables`.
            unknowns: The values of the unknowns.
            factors: The factors on the rows.
            constraints: The equation's constraints, where an evaluation has them already.
        """
        where = f"{self.equation.name}, constraint {name!r}"
        residual = (constraints or self.equation.constraints())[name].residual
        parts = components(residual(**resolve(residual, {**variables, **unknowns}, where)), where)
        scaled = list(factors.scaled())
        return torch.stack([part.derivative(alpha) * scale for part in parts for alpha, scale in scaled])

    def over(self, points: Mapping[str, Points]) -> Weighting:
        """The configured weighting with means over these points."""
        return self.weighting.over({name: size(batch) for name, batch in points.items()})

    def forward(self, points: Mapping[str, Points], weighting: Weighting | None = None) -> dict[str, Tensor]:
        """The weighted residual blocks, by constraint, each `(rows, N)`.

        Args:
            points: The points of every constraint.
            weighting: The factors on rows; by default those of the configuration, with means over these points.
        """
        weighting, constraints = weighting or self.over(points), self.equation.constraints()
        values = {name: unknown.value for name, unknown in self.equation.unknowns().items()}
        return {
            name: self.rows(name, self.variables(name, batch), values, weighting[name], constraints)
            for name, batch in points.items()
        }

    def unweighted(self) -> Residuals:
        """The residuals alone, without weights or derivatives of them, for the same network."""
        plain, ones = {name: Weights([1.0]) for name in self.terms}, dict.fromkeys(self.terms, 1.0)
        return Residuals(self.network, self.equation, self.engine, plain, ones)

    def height(self, name: str) -> int:
        """The number of rows of a constraint's block."""
        return len(self.weighting[name].rows) * self.terms[name].components

    def affine(
        self,
        name: str,
        points: Points,
        factors: Factors,
        held: bool = False,
        constraints: Mapping[str, Constraint] | None = None,
    ) -> Affine:
        """One constraint's weighted rows as an affine function of the linear unknowns, r = b + Σ_i λ_i s_i.

        If the unknowns are held, they keep their values and r = b.
        """
        constraints = constraints or self.equation.constraints()
        variables, unknowns = self.variables(name, points), self.equation.unknowns()
        free = {key for key, unknown in unknowns.items() if unknown.linear and not held}
        values = {key: torch.zeros_like(u.parameter) if key in free else u.value for key, u in unknowns.items()}
        constant = self.rows(name, variables, values, factors, constraints)
        slopes = {}
        for key in sorted(free):
            one = {**values, key: torch.ones_like(values[key])}
            slopes[key] = self.rows(name, variables, one, factors, constraints) - constant
        return Affine(constant, slopes)

    def reduced(
        self,
        points: Mapping[str, Points],
        weighting: Weighting | None = None,
        ranks: Exchange | None = None,
    ) -> Reduced:
        """The blocks with every linear unknown at its least-squares value, and these values; nothing is written.

        That value is a function of the network (variable projection, Golub & Pereyra 1973), and the gradient of
        the least loss is the gradient at fixed unknowns.

        Args:
            points: The points of every constraint.
            weighting: The factors on rows; by default those of the configuration, with means over these points.
            ranks: Who holds the other points; this process alone by default.
        """
        unknowns = self.equation.unknowns()
        if not any(unknown.linear for unknown in unknowns.values()):
            return Reduced(self(points, weighting), {})
        weighting, constraints = weighting or self.over(points), self.equation.constraints()
        affine = {
            name: self.affine(name, batch, weighting[name], constraints=constraints) for name, batch in points.items()
        }
        values = eliminate(affine, unknowns, ranks)
        return Reduced({name: piece.at(values) for name, piece in affine.items()}, values)

    @staticmethod
    def loss(blocks: Mapping[str, Tensor]) -> Tensor:
        """The sum of squares of all blocks."""
        return torch.stack([block.square().sum() for block in blocks.values()]).sum()

    def derivatives(self, points: Points, order: int) -> dict[str, Tensor]:
        """The outputs and their derivatives for an equation of one input: name ↦ `(order + 1, N)`.

        Raises:
            UserError: if the equation has several inputs.
        """
        if self.equation.dimension != 1:
            raise UserError(f"{self.equation.name} has {self.equation.dimension} axes; derivatives() takes one")
        fields = self.fields(points, IndexSet.simplex(1, order))
        return {
            name: torch.stack([fields[name].derivative((j,)) for j in range(order + 1)])
            for name in self.equation.outputs
        }


def _factors(
    equation: Equation, name: str, constraint: Constraint, sobolev: Sobolev | None, weight: float | None
) -> Factors:
    q = (sobolev or Weights(constraint.sobolev)).weights()
    return factors_of(name, equation.dimension, constraint.weight if weight is None else weight, q)
