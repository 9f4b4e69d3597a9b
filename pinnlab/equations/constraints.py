"""Constraints: a residual, where it should vanish, and which points its rows need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pinnlab.equations.places import Place
from pinnlab.errors import UserError
from pinnlab.geometry import Groups, Nodes, Points, Region, Rule, size

Residual = Callable[..., Any]
"""A function of fields by name that returns a field, or a tuple of fields, that should vanish."""


@dataclass(eq=False)
class Constraint:
    """A residual that should vanish at every point of a region.

    A row of the loss is the residual at one point. The row may use the values of the network at that point. It may also
    use those at the few `places` that belong to the point, such as the opposite face of a box or an earlier time. A
    residual that uses many points at once, as an integral does, belongs to a `Whole`.

    Attributes:
        region: Where the residual should vanish.
        residual: The residual; its argument names are inputs, outputs, unknowns, places or columns of the points.
        points: The number of collocation points unless the configuration says otherwise.
        sobolev: The weights (Q_0, …, Q_m) of |∇^j F|² in the loss, unless the configuration says otherwise.
        weight: A factor on the constraint's loss, unless the configuration says otherwise.
        places: Name -> a place where the row uses the network too: a function of the point's columns by name that
            returns the coordinates that differ there. The residual takes the place by this name, and finds the inputs
            and outputs there as its attributes.

    Example:
        u on the left side of a square equals u on the right side:

        >>> from pinnlab.equations import Constraint, Shift
        >>> from pinnlab.geometry import Box
        >>> square = Box(x=(0, 1), y=(0, 1))
        >>> left = Constraint(square.face("x", 0), lambda u, right: u - right.u, places={"right": Shift(x=1.0)})
        >>> left.points, left.local
        (128, True)
    """

    region: Region
    residual: Residual
    points: int = 128
    sobolev: Sequence[float] = (1.0,)
    weight: float = 1.0
    places: Mapping[str, Place] = field(default_factory=dict)

    local: ClassVar[bool] = True
    """Whether a row belongs to one point, so that any of the points can be evaluated without the others."""

    def parts(self, points: Points) -> list[Points]:
        """The points `(N,)` in parts whose rows do not need each other's points: here in one part."""
        return [points]

    def flat(self, points: Points) -> Points:
        """All points one after another, `(N,)`."""
        return points

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the operators that the residual can ask for: none here."""
        return ()

    def built(self) -> dict[int, dict[str, object]]:
        """Number of nodes -> the operators on these, for the nodes of training and of the evaluation: none here."""
        return {}


class Whole(Constraint):
    """A residual whose rows may use the values at all nodes of their group: integrals, means, nonlocal operators.

    The residual gets fields `(M,)` at the M nodes and returns a field of any number of rows: `(M,)`, `(R,)`, or `()` as
    an integral is. Sums, means and matrices act on the nodes: `(weight * u).sum()`, `u.mean()`, `H @ u`. A result that
    combines nodes has no derivative, unless an operator of `pinnlab.operators` supplies it.

    With `each`, every point of another region has a copy of the nodes, a group: the integral over x at each t. A row
    sees its own group alone. The loss is the mean over groups and rows.

    Attributes:
        region: The nodes in their groups, `Groups`.
        operators: Name -> a function of the rule that returns an operator on its nodes. The residual takes the operator
            by this name: on the rule's nodes in training, on the nodes of a finer rule in the evaluation.
        each: The region of the groups; None for one group.

    Example:
        ∫₀¹ u² dx = 1, and the Volterra equation u = 1 + ∫₀ˣ u:

        >>> from pinnlab.equations import Whole
        >>> from pinnlab.operators import Antiderivative, GaussLegendre
        >>> grid = GaussLegendre(x=(0, 1), nodes=20)
        >>> norm = Whole(grid, lambda u, weight: (weight * u * u).sum() - 1)
        >>> volterra = Whole(grid, lambda u, integral: u - 1 - integral @ u, operators={"integral": Antiderivative})
        >>> norm.local, volterra.asked
        (False, ('integral',))
    """

    local: ClassVar[bool] = False

    def __init__(
        self,
        region: Region | Rule,
        residual: Residual,
        points: int = 128,
        sobolev: Sequence[float] = (1.0,),
        weight: float = 1.0,
        places: Mapping[str, Place] | None = None,
        operators: Mapping[str, Callable[[Any], object]] | None = None,
        each: Region | None = None,
    ) -> None:
        """Takes the nodes, or the rule that has them.

        Args:
            region: The nodes: a quadrature rule, whose weights are the column `weight`; given points; or a region from
                which the sampler takes `points` nodes.
            residual: The residual.
            points: The number of groups where there is `each`; otherwise the number of nodes, where they are sampled.
            sobolev: The weights of |∇^j F|².
            weight: A factor on the loss.
            places: The places where each node uses the network too.
            operators: Name -> a function of the rule that returns an operator on its nodes.
            each: The region of the groups.

        Raises:
            UserError: if operators are asked for without a rule, groups of sampled nodes, or nodes with noise.
        """
        nodes = region if isinstance(region, Region) else Nodes(region)
        if nodes.noise is not None:
            raise UserError("rows of a Whole belong to no single measurement: divide by the noise in the residual")
        if operators and not isinstance(nodes, Nodes):
            raise UserError(
                f"operators are built from a quadrature rule, and the nodes are those of a {type(region).__name__}: "
                "give a rule, as in Whole(GaussLegendre(x=(0, 1), nodes=20), …)"
            )
        super().__init__(Groups(nodes, each), residual, points, sobolev, weight, dict(places or {}))
        self.operators = dict(operators or {})
        self.each = each

    def parts(self, points: Points) -> list[Points]:
        """The groups `(G, M)` one by one, each `(M,)`."""
        return [{name: column[g] for name, column in points.items()} for g in range(size(points))]

    def flat(self, points: Points) -> Points:
        """All nodes of all groups one after another, `(G · M,)`."""
        return {name: column.flatten(0, 1) for name, column in points.items()}

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the operators that the residual can ask for."""
        return tuple(self.operators)

    def built(self) -> dict[int, dict[str, object]]:
        """Number of nodes -> the operators on these, of the rule and of the finer one."""
        if not self.operators:
            return {}
        assert isinstance(self.region, Groups)
        found: dict[int, dict[str, object]] = {}
        for groups in (self.region, self.region.refined):
            assert isinstance(groups.nodes, Nodes)
            rule = groups.nodes.rule
            found[groups.nodes.count] = {name: build(rule) for name, build in self.operators.items()}
        return found


def domain(constraints: Mapping[str, Constraint]) -> str:
    """The constraint whose region is the domain: the largest region of the highest dimension.

    Of two such constraints one with rows at single points comes before a `Whole`.
    """

    def extent(name: str) -> tuple[int, bool, float]:
        constraint = constraints[name]
        return constraint.region.dimension, constraint.local, constraint.region.measure

    return max(constraints, key=extent)
