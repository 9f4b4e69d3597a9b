"""Residual blocks at some parameters with their Jacobian at hand, as Gauss-Newton asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from pinnlab.geometry import Points, size
from pinnlab.optimisers.linear.operators import LinearOperator
from pinnlab.optimisers.problem import Linearised
from pinnlab.residuals.elimination import Exchange, eliminate, flatten, slope
from pinnlab.residuals.jacobian.calls import AffineCall
from pinnlab.residuals.jacobian.functional import ConstraintRows, Evaluation
from pinnlab.residuals.jacobian.operator import Projected, ResidualJacobian
from pinnlab.residuals.jacobian.pointwise import Copied, Mapped, with_copies
from pinnlab.residuals.jacobian.stored import StoredRows
from pinnlab.residuals.jacobian.whole import Whole
from pinnlab.residuals.residuals import Residuals
from pinnlab.residuals.weighting import Weighting


class Linearisation(Linearised):
    """Residuals r(θ) at given points, with their Jacobian ∂r/∂θ at hand when it is asked for.

    Each constraint is evaluated in the way that makes its Jacobian cheap. Rows that use all nodes of a group are
    `Whole`. A row of any other constraint depends on the parameters through its own point alone: `Copied` gives every
    point a copy of the parameters, and `Mapped` serves networks that take no copies. `StoredRows` does without the
    network, where that is affine in θ and its features are at hand.

    Linear unknowns are found by variable projection: r(θ) is the residual at their least-squares values. Its Jacobian
    is approximated by the one at fixed values, projected onto the complement of the directions ∂r/∂λ of the unknowns
    that are not at a bound (Kaufman 1975). The error of this approximation is of the order of r.

    Attributes:
        blocks: The weighted residual blocks by constraint, `(rows, N)`, without a graph.
        vector: r, all blocks flattened one after another, `(M,)`.
        values: The least-squares values of the linear unknowns.
    """

    def __init__(
        self,
        residuals: Residuals,
        parameters: Mapping[str, Tensor],
        points: Mapping[str, Points],
        weighting: Weighting | None = None,
        ranks: Exchange | None = None,
        held: bool = False,
        stored: Mapping[str, Sequence[AffineCall]] | None = None,
    ) -> None:
        """Evaluates the residuals.

        Args:
            residuals: The residual blocks.
            parameters: The values of the trained parameters by name, used in place of the module's own.
            points: The points of every constraint.
            weighting: The factors on rows; by default those of the configuration, with means over these points.
            ranks: Who holds the other points; this process alone by default.
            held: Freeze the linear unknowns at their values; otherwise they have their least-squares values.
            stored: Constraint name -> the affine calls of the network at its points, where they are known.
        """
        residuals = residuals.prepared()
        weighting = weighting or residuals.over(points)
        stored = stored or {}
        copies = None if points.keys() <= stored.keys() else with_copies(residuals, parameters)

        def evaluate(name: str, batch: Points) -> Evaluation:
            rows = ConstraintRows(residuals, name, batch, weighting[name], held)
            if name in stored:
                return StoredRows(rows, stored[name], parameters)
            if not residuals.constraints[name].local:
                return Whole(rows, parameters)
            return Mapped(rows, parameters) if copies is None or not size(batch) else Copied(rows, copies, parameters)

        evaluations = {name: evaluate(name, batch) for name, batch in points.items()}
        affine = {name: found.affine for name, found in evaluations.items()}
        unknowns = residuals.equation.unknowns()
        self.values = eliminate(affine, unknowns, ranks)
        self.blocks = {name: piece.at(self.values).detach() for name, piece in affine.items()}
        self.vector = flatten(self.blocks)
        free = [
            slope(affine, name)
            for name, value in self.values.items()
            if unknowns[name].limits[0] < value < unknowns[name].limits[1]
        ]
        # without the constraints of which this rank has no points
        jacobian: LinearOperator = ResidualJacobian(
            [evaluations[name] for name, batch in points.items() if size(batch)],
            dict(parameters),
            self.values,
            self.vector,
        )
        self._jacobian: LinearOperator | None = Projected(jacobian, free, ranks) if free else jacobian

    def jacobian(self) -> LinearOperator:
        """∂r/∂θ, `(M, P)`. It uses up the graphs of the evaluation: a second call fails."""
        found, self._jacobian = self._jacobian, None
        if found is None:
            raise RuntimeError("the Jacobian of these residuals has been handed over")
        return found
