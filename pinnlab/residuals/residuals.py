"""From points to weighted residual blocks; the loss is the sum of their squares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnlab.engines import Engine
from pinnlab.equations.base import Constraint, Equation, columns, components, coordinates, required, resolve
from pinnlab.errors import UserError
from pinnlab.geometry import Points, size
from pinnlab.jets import Algebra, Field, IndexSet
from pinnlab.jets.algebra import factorial, of_degree
from pinnlab.networks.seen import bound, slots
from pinnlab.residuals.elimination import Affine, Exchange, Reduced, eliminate
from pinnlab.residuals.sobolev import Sobolev, Weights


@dataclass(frozen=True)
class Term:
    """A constraint as it is trained: what the network must supply, and the rows that come of it.

    Attributes:
        indices: The derivatives of the network that its rows need.
        rows: For every derivative α of the residual in the loss, (α, √(weight · Q_|α| · |α|!/α!)).
        components: How many fields the residual returns.
    """

    indices: Algebra
    rows: tuple[tuple[tuple[int, ...], float], ...]
    components: int


class Residuals(nn.Module):
    """The residual blocks of an equation for a network under a derivative engine.

    For each constraint, a block `(rows, N)`: the derivatives ∂^α F of every component of its residual at N
    points, scaled so that the sum of squares of the block is the constraint's loss

        weight · Σ_j Q_j · (1/N) Σ_i |∇^j F(x_i)|².

    The module holds the network and the equation, so that its parameters are all there are:
    weights and unknowns.
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
        # says which unknown the equation lacks
        bound(network, {name: unknown.value for name, unknown in equation.unknowns().items()})
        constraints = equation.constraints()
        for given in (sobolev or {}, weights or {}):
            for name in given:
                if name not in constraints:
                    raise UserError(f"{equation.name} has no constraint {name!r}; it has {', '.join(constraints)}")
        self.terms = {
            name: _term(equation, name, constraint, (sobolev or {}).get(name), (weights or {}).get(name))
            for name, constraint in constraints.items()
        }

    @property
    def function(self) -> nn.Module:
        """The network as a function of the points alone: with the unknowns that it sees at their present values."""
        return bound(self.network, {name: unknown.value for name, unknown in self.equation.unknowns().items()})

    def fields(
        self, points: Points, indices: Algebra, unknowns: Mapping[str, Tensor] | None = None
    ) -> dict[str, Field]:
        """The coordinates and outputs as fields at the points, with the given derivatives.

        Args:
            points: The points.
            indices: The derivatives.
            unknowns: The values of the unknowns, for a network that sees some; the present ones by default.
        """
        inputs = coordinates(self.equation, points, self.equation.name)
        network = self.function if unknowns is None else bound(self.network, unknowns)
        return self.engine.fields(network, inputs, self.equation.outputs, indices)

    def variables(self, name: str, points: Points, unknowns: Mapping[str, Tensor] | None = None) -> dict[str, object]:
        """What a constraint's residual can ask for, but for the unknowns: columns of the points, and fields.

        The values of the unknowns matter to a network that sees them.
        """
        where = f"{self.equation.name}, constraint {name!r}"
        return {**columns(self.equation, points, where), **self.fields(points, self.terms[name].indices, unknowns)}

    def rows(self, name: str, variables: Mapping[str, object], unknowns: Mapping[str, Tensor], total: float) -> Tensor:
        """One constraint's weighted rows, `(rows, N)`.

        Args:
            name: The constraint.
            variables: What its residual can ask for, from `variables`.
            unknowns: The values of the unknowns.
            total: What the mean divides by: the number of points over all ranks, over a phase's factor if it has one.
        """
        term, where = self.terms[name], f"{self.equation.name}, constraint {name!r}"
        residual = self.equation.constraints()[name].residual
        parts = components(residual(**resolve(residual, {**variables, **unknowns}, where)), where)
        scale = 1 / math.sqrt(total)
        return torch.stack([part.derivative(alpha) * (scale * w) for part in parts for alpha, w in term.rows])

    def forward(self, points: Mapping[str, Points], totals: Mapping[str, float] | None = None) -> dict[str, Tensor]:
        """The weighted residual blocks, by constraint, each `(rows, N)`.

        Args:
            points: The points of every constraint.
            totals: The global numbers of points by constraint, where the points are one rank's share.
        """
        values = {name: unknown.value for name, unknown in self.equation.unknowns().items()}
        return {
            name: self.rows(name, self.variables(name, batch), values, (totals or {}).get(name) or size(batch))
            for name, batch in points.items()
        }

    def unweighted(self) -> Residuals:
        """The residuals alone, without weights or derivatives of them, for the same network."""
        plain, ones = {name: Weights([1.0]) for name in self.terms}, dict.fromkeys(self.terms, 1.0)
        return Residuals(self.network, self.equation, self.engine, plain, ones)

    def height(self, name: str) -> int:
        """The number of rows of a constraint's block."""
        term = self.terms[name]
        return len(term.rows) * term.components

    def affine(self, name: str, points: Points, total: float, held: bool = False) -> Affine:
        """One constraint's weighted rows as an affine function of the linear unknowns, r = b + Σ_i λ_i s_i.

        If the unknowns are held, they keep their values and r = b.
        """
        unknowns = self.equation.unknowns()
        free = {key for key, unknown in unknowns.items() if unknown.linear and not held}
        values = {key: torch.zeros_like(u.parameter) if key in free else u.value for key, u in unknowns.items()}
        variables = self.variables(name, points, values)
        seen = set(slots(self.network).values())
        constant = self.rows(name, variables, values, total)
        slopes = {}
        for key in sorted(free):
            one = {**values, key: torch.ones_like(values[key])}
            # the network is another one for every value of an unknown that it sees
            there = self.variables(name, points, one) if key in seen else variables
            slopes[key] = self.rows(name, there, one, total) - constant
        return Affine(constant, slopes)

    def reduced(
        self,
        points: Mapping[str, Points],
        totals: Mapping[str, float] | None = None,
        ranks: Exchange | None = None,
    ) -> Reduced:
        """The blocks with every linear unknown at its least-squares value, and these values; nothing is written.

        That value is a function of the network (variable projection, Golub & Pereyra 1973), and the gradient of
        the least loss is the gradient at fixed unknowns.

        Args:
            points: The points of every constraint.
            totals: The global numbers of points by constraint, where the points are one rank's share.
            ranks: Who holds the other points; this process alone by default.
        """
        unknowns = self.equation.unknowns()
        if not any(unknown.linear for unknown in unknowns.values()):
            return Reduced(self(points, totals), {})
        affine = {
            name: self.affine(name, batch, (totals or {}).get(name) or size(batch)) for name, batch in points.items()
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


def _term(equation: Equation, name: str, constraint: Constraint, sobolev: Sobolev | None, weight: float | None) -> Term:
    q = (sobolev or Weights(constraint.sobolev)).weights()
    weight = constraint.weight if weight is None else weight
    if not (math.isfinite(weight) and weight > 0):
        raise UserError(f"the weight of constraint {name!r} must be positive and finite, got {weight}")
    dimension = equation.dimension
    rows = tuple(
        (alpha, math.sqrt(weight * q_j * math.factorial(j) / factorial(alpha)))
        for j, q_j in enumerate(q)
        if q_j
        for alpha in of_degree(dimension, j)
    )
    indices, count = required(equation, name, constraint, len(q) - 1)
    return Term(indices, rows, count)
