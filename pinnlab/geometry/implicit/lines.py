"""Where random lines meet the zero level of a function.

Uniformly random lines meet a surface uniformly in its measure, however curved it is, and on average 2 |S| / |S_R|
times, where S_R is a sphere of radius R around it, which all lines meet (Cauchy and Crofton; Santaló 1976, Integral
Geometry and Geometric Probability). So neither curvatures nor a mesh are needed.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinnlab.geometry.shapes.ball import Ball, directions

_STEPS, _HALVINGS, _BISECTIONS = 64, 5, 52

Values = Callable[[Tensor, Tensor], Tensor]
"""Places `(N, d)` and the index of the row of each ↦ the function there, `(N,)`."""


def lines(unit: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Uniformly random lines through the ball around a box, and the part of each that is in the box.

    Args:
        unit: `(N, 2 (d − 1))`: the direction, and the place where the line crosses the disc across it.
        lower: The lower ends of the box, `(d,)`.
        upper: The upper ends.

    Returns:
        The middle of each line `(N, d)`, its direction, and the parameters `(N,)` where it enters and leaves the box;
        a line that misses the box leaves it before it enters.
    """
    d = len(lower)
    middle, radius = (lower + upper) / 2, (upper - lower).norm() / 2
    way = directions(unit[:, : d - 1])
    across = torch.stack(
        list(Ball([0.0] * (d - 1), names=[f"x{i}" for i in range(d - 1)]).map(unit[:, d - 1 :]).values()), 1
    )
    flat = torch.cat([across, torch.zeros_like(across[:, :1])], dim=1)
    # the reflection that takes the last axis to ± the direction takes the disc across that axis to the one across it
    mirror = way.clone()
    mirror[:, -1] += torch.where(way[:, -1] < 0, -1.0, 1.0)
    flat = flat - 2 * mirror * (mirror * flat).sum(1, keepdim=True) / mirror.square().sum(1, keepdim=True)
    start = middle + radius * flat
    slope = torch.where(way.abs() < 1e-300, 1e-300, way)
    ends = torch.stack([(lower - start) / slope, (upper - start) / slope])
    return start, way, ends.amin(0).amax(1), ends.amax(0).amin(1)


def crossings(values: Values, start: Tensor, way: Tensor, enter: Tensor, leave: Tensor) -> tuple[Tensor, Tensor]:
    """The places `(M, d)` where lines cross the zero level between two parameters each, and the row of each place.

    A line is cut into 64 pieces. A piece whose ends have one sign, and values that a signed distance could have on both
    sides of a thin part, is halved up to five times; thinner parts are missed there.
    """
    hits = (enter < leave).nonzero()[:, 0]
    start, way, enter, leave = start[hits], way[hits], enter[hits], leave[hits]

    def at(row: Tensor, place: Tensor) -> Tensor:
        return values(start[row] + place[:, None] * way[row], hits[row])

    count = len(hits)
    share = torch.linspace(0, 1, _STEPS + 1, dtype=start.dtype)
    places = torch.lerp(enter[:, None], leave[:, None], share)
    every = torch.arange(count).repeat_interleave(_STEPS + 1)
    found = at(every, places.flatten()).reshape(count, _STEPS + 1)
    row = torch.arange(count).repeat_interleave(_STEPS)
    low, high = places[:, :-1].flatten(), places[:, 1:].flatten()
    f_low, f_high = found[:, :-1].flatten(), found[:, 1:].flatten()
    kept: list[tuple[Tensor, ...]] = []
    for _ in range(_HALVINGS):
        crossing = (f_low > 0) != (f_high > 0)
        kept.append((row[crossing], low[crossing], high[crossing], f_low[crossing]))
        doubtful = ~crossing & (f_low.abs() + f_high.abs() < high - low)
        row, low, high, f_low, f_high = (c[doubtful] for c in (row, low, high, f_low, f_high))
        centre = (low + high) / 2
        f_centre = at(row, centre)
        row = torch.cat([row, row])
        low, high = torch.cat([low, centre]), torch.cat([centre, high])
        f_low, f_high = torch.cat([f_low, f_centre]), torch.cat([f_centre, f_high])
    crossing = (f_low > 0) != (f_high > 0)
    kept.append((row[crossing], low[crossing], high[crossing], f_low[crossing]))
    row, low, high, f_low = (torch.cat(columns) for columns in zip(*kept, strict=True))
    order = torch.argsort(row, stable=True)
    row, low, high, f_low = row[order], low[order], high[order], f_low[order]
    for _ in range(_BISECTIONS):
        centre = (low + high) / 2
        same = (at(row, centre) > 0) == (f_low > 0)
        low, high = torch.where(same, centre, low), torch.where(same, high, centre)
    return start[row] + low[:, None] * way[row], hits[row]
