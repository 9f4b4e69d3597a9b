"""Groups of nodes: the nodes of a quadrature rule, and copies of them for each point of another region."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.geometry.columns import Ends, Points, size, tolerance
from pinnlab.geometry.region import Region
from pinnlab.geometry.shapes.box import Box
from pinnlab.geometry.source import Source


class Rule(Protocol):
    """The methods of a quadrature rule that this package needs.

    Example:
        >>> from pinnlab.operators import GaussLegendre
        >>> rule: Rule = GaussLegendre(x=(0, 1), nodes=3)
        >>> len(rule.weights), len(rule.finer().weights)
        (3, 6)
    """

    @property
    def nodes(self) -> Mapping[str, Tensor]:
        """Coordinate -> its values at the nodes, `(M,)`."""
        ...

    @property
    def weights(self) -> Tensor:
        """The weights, `(M,)`."""
        ...

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        """Coordinate -> the ends of the interval, which may be infinite."""
        ...

    def finer(self) -> Rule:
        """A rule with more nodes on the same intervals."""
        ...


class Nodes(Region):
    """The nodes of a quadrature rule, with its weights as the column `weight`.

    A sample of any size has all of them.

    Example:
        >>> from pinnlab.operators import GaussLegendre
        >>> nodes = Nodes(GaussLegendre(x=(0, 2), nodes=3))
        >>> nodes.count, round(nodes.measure, 12)
        (3, 2.0)
    """

    def __init__(self, rule: Rule) -> None:
        """Takes the rule."""
        self.rule = rule
        self.names = tuple(rule.nodes)
        self.count = len(rule.weights)

    @property
    def dimension(self) -> int:
        """The number of coordinates."""
        return len(self.names)

    @property
    def measure(self) -> float:
        """The sum of the weights: length, area or volume."""
        return float(self.rule.weights.sum())

    @property
    def given(self) -> bool:
        """True: a rule has a fixed number of nodes."""
        return True

    @property
    def refined(self) -> Nodes:
        """The nodes of the finer rule."""
        return Nodes(self.rule.finer())

    @property
    def extent(self) -> Ends:
        """The ends of the intervals; the outermost nodes where the interval is infinite."""
        found = {}
        for name, nodes in self.rule.nodes.items():
            outermost = (float(nodes.min()), float(nodes.max()))
            ends = (
                end if math.isfinite(end) else node for end, node in zip(self.rule.bounds[name], outermost, strict=True)
            )
            lower, upper = (torch.tensor(end, dtype=torch.float64) for end in ends)
            found[name] = (lower, upper)
        return found

    def contains(self, points: Points) -> Tensor:
        """Which points lie within the intervals."""
        inside = []
        for name, (lower, upper) in self.rule.bounds.items():
            column = points[name]
            slack = tolerance(column, max((abs(end) for end in (lower, upper) if math.isfinite(end)), default=0.0))
            inside.append((column >= lower - slack) & (column <= upper + slack))
        return torch.stack(inside).all(0)

    def place(self, n: int, source: Source) -> Points:
        """All nodes, for any n and source."""
        columns = {**self.rule.nodes, "weight": self.rule.weights}
        return {name: column.to(torch.get_default_dtype()) for name, column in columns.items()}


class Groups(Region):
    """Nodes as one group, or as one group for each point of another region: columns `(G, M)`.

    A group takes the place that a point has in other regions: G is the number that a sample is asked for, and whoever
    selects points or distributes them over ranks selects and distributes whole groups.

    Example:
        >>> from pinnlab.collocation import Sobol
        >>> from pinnlab.geometry import Interval
        >>> from pinnlab.operators import GaussLegendre
        >>> groups = Groups(Nodes(GaussLegendre(x=(0, 1), nodes=3)), Interval(t=(0, 1)))
        >>> {name: tuple(column.shape) for name, column in Sobol().sample(groups, 5, seed=0).items()}
        {'t': (5, 3), 'x': (5, 3), 'weight': (5, 3)}
    """

    def __init__(self, nodes: Region, each: Region | None = None) -> None:
        """Takes the nodes, and the region whose points have a copy of them each.

        Raises:
            UserError: if the nodes of a copy are not given, or a coordinate occurs in both regions.
        """
        self.nodes, self.each = nodes, each
        if each is not None:
            if not nodes.given:
                raise UserError(
                    f"the nodes of each group must be given, by a quadrature rule or PointSet, not sampled from a "
                    f"{type(nodes).__name__}"
                )
            shared = [name for name in each.names if name in nodes.names]
            if shared:
                raise UserError(f"the coordinate {shared[0]!r} occurs in the nodes and in the region of the groups")
        self.names = nodes.names + (each.names if each is not None else ())

    @property
    def dimension(self) -> int:
        """The sum of the dimensions; given nodes count as points of their coordinates."""
        own = self.nodes.dimension or len(self.nodes.names)
        return own + (self.each.dimension if self.each is not None else 0)

    @property
    def measure(self) -> float:
        """The product of the measures."""
        return self.nodes.measure * (self.each.measure if self.each is not None else 1.0)

    @property
    def given(self) -> bool:
        """Whether there is one group of given nodes, or one for each of given points."""
        return self.nodes.given and (self.each is None or self.each.given)

    @property
    def refined(self) -> Groups:
        """Groups of the nodes of the finer rule, if there is one."""
        return Groups(self.nodes.refined, self.each)

    @property
    def hull(self) -> Region:
        """The region of the nodes, a box where they are given, times that of the groups."""
        own = self.nodes
        if own.given:
            own = Box(**{name: (float(lower), float(upper)) for name, (lower, upper) in own.extent.items()})
        return own if self.each is None else own * self.each

    def units(self, n: int) -> int:
        """The number of groups that have about n nodes in all."""
        if self.each is None:
            return n
        return max(8, n // size(self.nodes.place(1, _NoSource())))

    @property
    def extent(self) -> Ends:
        """The extents of the nodes and of the region of the groups."""
        return {**self.nodes.extent, **(self.each.extent if self.each is not None else {})}

    @property
    def scales(self) -> dict[str, float]:
        """The scales of both regions."""
        return {**self.nodes.scales, **(self.each.scales if self.each is not None else {})}

    def contains(self, points: Points) -> Tensor:
        """Which single points `(N,)` are in the region of the nodes, and in that of the groups."""
        inside = self.nodes.contains(points)
        return inside if self.each is None else inside & self.each.contains(points)

    def place(self, n: int, source: Source) -> Points:
        """N groups, or one: columns `(G, M)`, `(G, M, d)` for a vector."""
        if self.each is None:
            return {name: column[None] for name, column in self.nodes.place(n, source).items()}
        outer, inner = self.each.place(n, source), self.nodes.place(1, source)
        groups, nodes = size(outer), size(inner)
        return {name: column[:, None].expand(groups, nodes, *column.shape[1:]) for name, column in outer.items()} | {
            name: column[None].expand(groups, nodes, *column.shape[1:]) for name, column in inner.items()
        }


class _NoSource(Source):
    """For regions of given points, which need no numbers."""

    nested = False

    def unit(self, n: int, dimension: int) -> Tensor:
        raise AssertionError("given points need no random numbers")

    def split(self, index: int) -> Source:
        return self
