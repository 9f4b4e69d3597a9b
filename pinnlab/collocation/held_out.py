"""Points that training does not use, to judge a solution by."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnlab.collocation.samplers import Grid, Sobol
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region, select
from pinnlab.geometry.columns import GOLDEN, tolerance

_TRIES = 8
"""The number of samples that are tried; a second one is needed only if training has the same grid."""

_ENOUGH = 0.9
"""The share of a sample that must be new. A few points coincide by chance in single precision; of equal grids, half."""


def held_out(region: Region, n: int, seed: int, trained: Points) -> Points:
    """Dense points of a region of which none is a training point; given points are returned as they are.

    A region of one dimension has a regular grid in ascending order. Its offset within the cells is a multiple of the
    golden ratio, so that no point of a grid with a rational offset coincides with it. A region of more dimensions has
    a Sobol sequence. Points that coincide with training points up to rounding are left out; if these are many, as for
    two equal grids, another sample is taken. For the nodes of a quadrature rule these are the nodes of a finer rule.

    Args:
        region: The region.
        n: The number of points.
        seed: The seed of the Sobol sequence.
        trained: The columns of the training points.

    Returns:
        Columns of about n points.

    Raises:
        UserError: if the region has no points but those of training.

    Example:
        >>> from pinnlab.geometry import Interval
        >>> line = Interval(x=(0, 1))
        >>> len(held_out(line, 50, seed=0, trained=Grid().sample(line, 11, seed=0))["x"])
        50
    """
    if (fresh := region.refined) is not region:
        return Sobol().sample(fresh, fresh.units(n), seed)
    for attempt in range(_TRIES):
        sampler = Grid(offset=(attempt + 1) * GOLDEN % 1) if region.dimension == 1 else Sobol()
        points = sampler.sample(region, n, seed, attempt)
        if region.dimension == 0:
            return points
        new = ~_among(region, points, trained)
        if float(new.double().mean()) > _ENOUGH:
            return select(points, new)
    raise UserError(f"the region of {', '.join(region.names)} has hardly any points but those of training to hold out")


def _among(region: Region, points: Points, others: Points) -> Tensor:
    """Which of the points are one of the others up to rounding, `(N,)`."""
    from scipy.spatial import cKDTree

    def scaled(given: Points) -> Tensor:
        # in units of the tolerance of membership
        columns = [given[name].double() / tolerance(given[name], scale) for name, scale in region.scales.items()]
        return torch.cat([column.reshape(len(column), -1) for column in columns], dim=1)

    # an eighth of it is two roundings: as much as equal numbers differ by when they are computed in two ways
    distance, _ = cKDTree(scaled(others)).query(scaled(points), distance_upper_bound=1 / 8)
    return torch.from_numpy(distance).isfinite()
