"""From points to weighted residual blocks; the loss is the sum of their squares."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from pinnlab.engines import Engine
from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint
from pinnlab.equations.places import There
from pinnlab.equations.residual.acting import acting
from pinnlab.equations.residual.arguments import columns, components, coordinates, elsewhere, resolve
from pinnlab.errors import UserError
from pinnlab.geometry import Points, size
from pinnlab.jets import Algebra, Field, IndexSet
from pinnlab.networks.composed.seen import bound, slots
from pinnlab.residuals.elimination import Affine, Exchange, Reduced, eliminate
from pinnlab.residuals.sobolev import Sobolev
from pinnlab.residuals.terms import configured, term
from pinnlab.residuals.weighting import Factors, Weighting, factors_of


class Residuals(nn.Module):
    """The residual blocks of an equation for a network under a derivative engine.

    For each constraint, a block `(rows, N)`: the derivatives ∂^α F of every component of its residual at N
    points, scaled so that the sum of squares of the block is the constraint's loss

        weight · Σ_j Q_j · (1/N) Σ_i |∇^j F(x_i)|².

    Where rows use all nodes of a group (`Whole`), N counts the groups, and a group has the mean over its rows.

    All factors on rows are in a `Weighting`, which every evaluation may be given. The module holds the network and the
    equation, so that its parameters are all that is trained: weights and unknowns.

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
        # says which unknown the equation lacks
        bound(network, {name: unknown.value for name, unknown in equation.unknowns().items()})
        self._slots = slots(network)
        self._constraints: Mapping[str, Constraint] | None = None
        constraints = equation.constraints()
        self.weighting = configured(equation, constraints, sobolev, weights)
        self.terms = {name: term(equation, name, found, self.weighting[name]) for name, found in constraints.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restores a deep copy or a pickle, whose operators are made anew."""
        super().__setstate__(state)
        if any(found.operators is None for found in self.terms.values()):
            constraints = self.equation.constraints()
            self.terms = {name: found.complete(constraints[name]) for name, found in self.terms.items()}

    @property
    def constraints(self) -> Mapping[str, Constraint]:
        """The equation's constraints by name: built once in `prepared`, otherwise at each access."""
        return self.equation.constraints() if self._constraints is None else self._constraints

    def prepared(self) -> Residuals:
        """The same residuals with the constraints built once, for several evaluations or within a transform.

        They are not kept in the module itself: a copy of it has unknowns of its own.
        """
        found = copy.copy(self)
        found._constraints = self.constraints
        return found

    def with_network(self, network: nn.Module) -> Residuals:
        """The same residuals of another network: equation, engine and weights are shared."""
        found = copy.copy(self)
        found._modules = {**self._modules, "network": network}
        found._slots = slots(network)
        return found

    def with_engine(self, engine: Engine) -> Residuals:
        """The same residuals of the same network under another engine."""
        found = copy.copy(self)
        found.engine = engine
        return found

    @property
    def function(self) -> nn.Module:
        """The network as a function of the points alone: the unknowns that it sees have their present values."""
        return self._with({name: unknown.value for name, unknown in self.equation.unknowns().items()})

    def _with(self, unknowns: Mapping[str, Tensor]) -> nn.Module:
        """The network with the unknowns that it sees at these values; itself where it sees none."""
        return bound(self.network, unknowns) if self._slots else self.network

    def fields(
        self, points: Points, indices: Algebra, unknowns: Mapping[str, Tensor] | None = None
    ) -> dict[str, Field]:
        """The coordinates and outputs as fields at the points, with the given derivatives.

        Args:
            points: The points.
            indices: The derivatives.
            unknowns: The values of the unknowns, for a network that sees some; the present ones by default.
        """
        return self._fields([coordinates(self.equation, points, self.equation.name)], indices, unknowns)[0]

    def _fields(
        self, parts: Sequence[Mapping[str, Tensor]], indices: Algebra, unknowns: Mapping[str, Tensor] | None
    ) -> list[dict[str, Field]]:
        network = self.function if unknowns is None else self._with(unknowns)
        return self.engine.fields_by_part(network, parts, self.equation.outputs, indices)

    def variables(
        self, name: str, points: Points, unknowns: Mapping[str, Tensor] | None = None
    ) -> list[dict[str, object]]:
        """What a constraint's residual can ask for, but for the unknowns, for each part of the points.

        Columns of the points, fields at the points and at their places, and operators on the nodes. There is one part
        of all points where rows belong to points, and one for each group where rows use all nodes of a group.

        The values of the unknowns matter to a network that sees them.
        """
        constraint, where = self.constraints[name], f"{self.equation.name}, constraint {name!r}"
        term, parts, inputs = self.terms[name], constraint.parts(points), self.equation.inputs
        extra = [columns(self.equation, part, where) for part in parts]
        here = self._fields([coordinates(self.equation, part, where) for part in parts], term.indices, unknowns)
        found: list[dict[str, object]] = [
            {
                **column,
                **fields,
                **acting((term.operators or {}).get(size(part), {}), inputs, next(iter(part.values()))),
            }
            for part, column, fields in zip(parts, extra, here, strict=True)
        ]
        for label, place in constraint.places.items():
            there = [elsewhere(self.equation, place, part, f"{where}, place {label!r}") for part in parts]
            for variables, fields in zip(found, self._fields(there, term.indices, unknowns), strict=True):
                variables[label] = There(label, fields)
        return found

    def rows(
        self,
        name: str,
        variables: Sequence[Mapping[str, object]],
        unknowns: Mapping[str, Tensor],
        factors: Factors,
    ) -> Tensor:
        """One constraint's weighted rows, `(rows, N)`, or `(rows, G)` for G groups of nodes.

        Args:
            name: The constraint.
            variables: What its residual can ask for, from `variables`.
            unknowns: The values of the unknowns.
            factors: The factors on the rows.
        """
        constraint, where = self.constraints[name], f"{self.equation.name}, constraint {name!r}"

        def fields(part: Mapping[str, object]) -> tuple[Field, ...]:
            arguments = resolve(constraint.residual, {**part, **unknowns}, where)
            return components(constraint.residual(**arguments), where)

        if constraint.local:
            scaled = list(factors.scaled())
            rows = [part.derivative(alpha) * scale for part in fields(variables[0]) for alpha, scale in scaled]
            block, noise = torch.stack(rows), constraint.region.noise
            if noise is None:
                return block
            deviation: Any = variables[0][noise]
            return block / deviation
        scaled = list(replace(factors, points=None).scaled())
        groups = []
        for group in variables:
            rows = [part.derivative(alpha).reshape(-1) * scale for part in fields(group) for alpha, scale in scaled]
            groups.append(torch.cat([row / math.sqrt(len(row)) if factors.mean else row for row in rows]))
        if not groups:  # a rank's share of fewer groups than there are ranks
            return next(self.parameters()).new_zeros(self.height(name), 0)
        block = torch.stack(groups, 1)
        return block if factors.points is None else block * factors.points.sqrt()

    def over(self, points: Mapping[str, Points]) -> Weighting:
        """The configured weighting with means over these points."""
        return self.weighting.over({name: size(batch) for name, batch in points.items()})

    def forward(self, points: Mapping[str, Points], weighting: Weighting | None = None) -> dict[str, Tensor]:
        """The weighted residual blocks, by constraint, each `(rows, N)`.

        Args:
            points: The points of every constraint.
            weighting: The factors on rows; by default those of the configuration, with means over these points.
        """
        weighting, ready = weighting or self.over(points), self.prepared()
        values = {name: unknown.value for name, unknown in self.equation.unknowns().items()}
        return {
            name: ready.rows(name, ready.variables(name, batch), values, weighting[name])
            for name, batch in points.items()
        }

    def unweighted(self) -> Residuals:
        """The residuals alone, without weights or derivatives of them, for the same network."""
        found = copy.copy(self)
        plain = {name: factors_of(name, self.equation.dimension, 1.0, [1.0]) for name in self.terms}
        found.weighting = Weighting(plain).with_sums()
        return found

    def height(self, name: str) -> int:
        """The number of rows of a constraint's block on the points of training."""
        return len(self.weighting[name].rows) * self.terms[name].height

    def affine(self, name: str, points: Points, factors: Factors, held: bool = False) -> Affine:
        """One constraint's weighted rows as an affine function of the linear unknowns, r = b + Σ_i λ_i s_i.

        If the unknowns are held, that is frozen at their values, then r = b.
        """
        unknowns = self.equation.unknowns()
        free = {key for key, unknown in unknowns.items() if unknown.linear and not held}
        values = {key: torch.zeros_like(u.parameter) if key in free else u.value for key, u in unknowns.items()}
        variables = self.variables(name, points, values)
        seen = set(self._slots.values())
        constant = self.rows(name, variables, values, factors)
        slopes = {}
        for key in sorted(free):
            one = {**values, key: torch.ones_like(values[key])}
            # the network is another one for every value of an unknown that it sees
            there = self.variables(name, points, one) if key in seen else variables
            slopes[key] = self.rows(name, there, one, factors) - constant
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
        weighting, ready = weighting or self.over(points), self.prepared()
        affine = {name: ready.affine(name, batch, weighting[name]) for name, batch in points.items()}
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
