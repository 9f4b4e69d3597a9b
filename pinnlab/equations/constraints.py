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


@dataclass(frozen=True)
class Constraint:
    """A residual that should vanish at every point of a region.

    A row of the loss is the residual at one point. It may use the values of the network at that point alone, or also
    at the few `places` that belong to the point: the opposite face of a box, an earlier time. Rows that use
    many points at once, as an integral does, are those of `Whole`.

        Constraint(box.face("x", 0), lambda u, right: u - right.u, places={"right": Shift(x=1.0)})

    Attributes:
        region: Where.
        residual: The residual; its argument names are inputs, outputs, unknowns, places or columns of the points.
        points: How many collocation points to take unless the configuration says otherwise.
        sobolev: The weights (Q_0, …, Q_m) of |∇^j F|² in the loss, unless the configuration says otherwise.
        weight: A factor on the constraint's loss, unless the configuration says otherwise.
        places: Name -> where else the row uses the network: a function of the point's columns by name that returns
            the coordinates that differ there. The residual takes the place by this name, and finds the inputs and
            outputs there as its attributes.
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
        """The names of the operators that the residual can ask for."""
        return ()

    def operators(self) -> dict[int, dict[str, object]]:
        """Number of nodes -> the operators on these, for the nodes of training and of the evaluation: none here."""
        return {}


@dataclass(frozen=True)
class Whole(Constraint):
    """A residual whose rows may use the values at all nodes of their group: integrals, means, nonlocal operators.

    The residual gets fields `(M,)` at the M nodes and returns a field of any number of rows: `(M,)`, `(R,)`, or `()` as
    an integral is. Sums, means and matrices act on the nodes: `(weight * u).sum()`, `u.mean()`, `H @ u`. What takes
    nodes together has no derivative, unless an operator of `pinnlab.operators` supplies it.

    With `each`, there is a copy of the nodes, a group, for every point of another region: the integral over x at each
    t. A row sees its own group alone. The loss is the mean over groups and rows.

        grid = GaussLegendre(x=(0, 1), nodes=20)
        Whole(grid, lambda u, weight: (weight * u * u).sum() - 1)
        Whole(grid, lambda u, x, integral: u - 1 - integral @ u, operators={"integral": Antiderivative})

    Attributes:
        region: The nodes: a quadrature rule, whose weights are the column `weight`; given points; or a region from
            which the sampler takes `points` nodes.
        points: The number of groups where there is `each`; otherwise that of the nodes, where they are sampled.
        build: Name -> a function of the rule that returns an operator on its nodes. The residual takes the operator
            by this name, on the rule's nodes in training and on those of a finer rule in the evaluation.
        each: Where the groups are.
    """

    build: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)
    each: Region | None = None

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
            region: The nodes.
            residual: The residual.
            points: The number of groups or of sampled nodes.
            sobolev: The weights of |∇^j F|².
            weight: A factor on the loss.
            places: Where else each node uses the network.
            operators: Name -> a function of the rule that returns an operator on its nodes.
            each: Where the groups are.

        Raises:
            UserError: if operators are to be built without a rule, or groups of sampled nodes are asked for.
        """
        rule = None if isinstance(region, Region) else region
        if operators and rule is None:
            raise UserError(
                f"operators are built from a quadrature rule, and the nodes are those of a {type(region).__name__}: "
                "give a rule, as in Whole(GaussLegendre(x=(0, 1), nodes=20), …)"
            )
        nodes = Nodes(rule) if rule is not None else region
        assert isinstance(nodes, Region)
        for name, value in (
            ("region", Groups(nodes, each)),
            ("residual", residual),
            ("points", points),
            ("sobolev", sobolev),
            ("weight", weight),
            ("places", dict(places or {})),
            ("build", dict(operators or {})),
            ("each", each),
        ):
            object.__setattr__(self, name, value)

    def parts(self, points: Points) -> list[Points]:
        """The groups `(G, M)` one by one, each `(M,)`."""
        return [{name: column[g] for name, column in points.items()} for g in range(size(points))]

    def flat(self, points: Points) -> Points:
        """All nodes of all groups one after another, `(G · M,)`."""
        return {name: column.flatten(0, 1) for name, column in points.items()}

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the operators that the residual can ask for."""
        return tuple(self.build)

    def operators(self) -> dict[int, dict[str, object]]:
        """Number of nodes -> the operators on these, of the rule and of the finer one."""
        if not self.build:
            return {}
        assert isinstance(self.region, Groups)
        found: dict[int, dict[str, object]] = {}
        for groups in (self.region, self.region.refined):
            assert isinstance(groups.nodes, Nodes)
            rule = groups.nodes.rule
            found[groups.nodes.count] = {name: build(rule) for name, build in self.build.items()}
        return found


def domain(constraints: Mapping[str, Constraint]) -> str:
    """The constraint whose region is the domain: of the highest dimension, and of these the largest.

    One with rows at single points comes before those with rows of all nodes.
    """

    def extent(name: str) -> tuple[int, bool, float]:
        constraint = constraints[name]
        return constraint.region.dimension, constraint.local, constraint.region.measure

    return max(constraints, key=extent)
