"""Points of a region for a picture of it, and the part of the picture that the region covers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy.spatial import Delaunay

from pinnlab.collocation import Grid
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Disc, Points, Region, select, size

# The most points of a box, in units of those that are wanted in a region in it.
_MOST = 10


def lattice(region: Region, n: int) -> Points:
    """About n points of a region on grids, with points of its boundary where its grids need not reach it.

    Args:
        region: A region of two coordinates, or a curve in them.
        n: How many.

    Returns:
        The columns.
    """
    if isinstance(region, Box | Disc) or region.dimension < 2:
        return Grid().sample(region, n, 0)
    # an even grid of the box around it: the region's own may be coarse where its map is, as in corners of a polygon
    around = Box(**{name: (float(low), float(high)) for name, (low, high) in region.extent.items()})
    points = Grid().sample(around, min(round(n * around.measure / region.measure), _MOST * n), 0)
    points = select(points, region.contains(points))
    if size(points) < n / 4:  # a thin region
        points = Grid().sample(region, n, 0)
    try:
        edge = Grid().sample(region.boundary, 4 * round(n**0.5), 0)
    except UserError:
        # a region of the user's own may not know its boundary; the picture then has a rough edge
        return points
    return {name: torch.cat([column, edge[name]]) for name, column in points.items()}


def triangles(region: Region, points: Points) -> np.ndarray:
    """The Delaunay triangles of points whose centres lie in the region, `(T, 3)` indices of corners.

    None where the region is a curve or given points.
    """
    if region.dimension < 2:
        return np.zeros((0, 3), dtype=np.int64)
    place = torch.stack([points[name].double().cpu() for name in region.names], dim=1)
    width = (place.amax(0) - place.amin(0)).clamp_min(torch.finfo(place.dtype).tiny)
    # axes of other units would make thin triangles
    corners = torch.from_numpy(Delaunay(((place - place.amin(0)) / width).numpy()).simplices).long()
    centres = place[corners].mean(1)
    covered = region.contains({name: centres[:, i] for i, name in enumerate(region.names)})
    return corners[covered].numpy()


def broken(region: Region, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The values on a line, NaN in the middle of each gap between pieces of the region, where a drawn line breaks.

    Args:
        region: A region of one coordinate.
        arrays: The coordinate, `(N,)` in order, and values, `(..., N)`.
    """
    (name,) = region.names
    x = arrays[name]
    middle = (x[1:] + x[:-1]) / 2
    gap = np.flatnonzero(~region.contains({name: torch.from_numpy(middle)}).numpy())
    return {
        key: np.insert(values, gap + 1, middle[gap] if key == name else np.nan, axis=-1)
        for key, values in arrays.items()
    }
