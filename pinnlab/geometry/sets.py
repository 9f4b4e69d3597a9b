"""The results of the operators of regions: `a | b`, `a & b`, `a - b`, `a * b` and the boundary.

`Region` imports this module, because operators are its methods; apart from this, the imports of the package have one
direction.
"""

from __future__ import annotations

from pinnlab.geometry.border import border as border
from pinnlab.geometry.combined import Difference, Intersection, Union, axes
from pinnlab.geometry.product import product as product
from pinnlab.geometry.region import Region


def union(first: Region, second: Region) -> Region:
    """The points of either region, `first | second`, none of them twice as often."""
    if first.dimension == 0:
        return Union(first, second)
    return Union(first, Difference(second, first))


def difference(first: Region, second: Region) -> Region:
    """The points of the first region that are not in the second, `first - second`."""
    return Difference(first, second)


def intersection(first: Region, second: Region) -> Region:
    """The points in both regions, `first & second`, sampled from the one of lower dimension, of two solids the smaller.

    Of two curves or surfaces the first is sampled, and has its columns: `(plate - hole).boundary & hole.boundary` has
    the normals of the former.
    """
    swap = False
    if set(first.names) == set(second.names):
        if first.dimension == second.dimension == axes(first):
            swap = second.measure < first.measure
        else:
            swap = second.dimension < first.dimension
    return Intersection(second, first) if swap else Intersection(first, second)
