"""Points that training does not use, to judge a solution by."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnlab.collocation.samplers import Grid, Sobol
from pinnlab.errors import UserError
from pinnlab.geometry import Points, Region, select
from pinnlab.geometry.columns import GOLDEN, tolerance

_TRIES = 8
"""Samples that are tried; the first does, unless training has the very same grid."""

_ENOUGH = 0.9
"""The share of a sample that must be new: chance takes a few points, in single precision, and equal grids take half."""


def held_out(region: Region, n: int, seed: int, trained: Points) -> Points:
    """Dense points of a region of which none is a training point; given points are what they are.

    One dimension has a regular grid, in order, at multiples of the golden ratio within its cells, where no point of a
    grid with rational offset lies; more have a Sobol sequence. A point that coincides with a training point up to
    rounding is left out, and where many do, as of two equal grids, there is another sample. The nodes of a
    quadrature rule are those of a finer one.

    Args:
        region: Where.
        n: How many.
        seed: Of the Sobol sequence.
        trained: The columns of the training points.

    Returns:
        Columns of about n points.

    Raises:
        UserError: if the region has no points but those of training.
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
        # in units of what membership allows for rounding
        columns = [given[name].double() / tolerance(given[name], scale) for name, scale in region.scales.items()]
        return torch.cat([column.reshape(len(column), -1) for column in columns], dim=1)

    # an eighth of it is two roundings: as much as equal numbers differ by when they are computed in two ways
    distance, _ = cKDTree(scaled(others)).query(scaled(points), distance_upper_bound=1 / 8)
    return torch.from_numpy(distance).isfinite()
