"""Vector fields: their size as a map, with arrows or streamlines on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pinnlab.reporting.figures.panels import Panel
from pinnlab.reporting.figures.space.mesh import lattice, triangles
from pinnlab.reporting.figures.space.places import Slice, Values
from pinnlab.reporting.figures.style import VALUES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points along each axis of the grid of arrows and of that of streamlines.
_ARROWS, _STREAMLINES = 19, 61


@dataclass(frozen=True)
class VectorField:
    """A vector field that is to be drawn.

    Attributes:
        components: Axis -> the field that is the component along it.
        output: The output that a component is, or is a derivative of.
        streamlines: Whether it is drawn by streamlines; by arrows otherwise.
    """

    components: Mapping[str, str]
    output: str
    streamlines: bool

    @property
    def name(self) -> str:
        """The components in brackets."""
        return f"({', '.join(self.components.values())})"


def flow(field: VectorField, cut: Slice, values: Values, title: str) -> Panel:
    """A panel of the components of a vector field within a slice: their size in colour, and their direction.

    Args:
        field: The vector field.
        cut: The slice.
        values: What computes its components.
        title: The title.
    """
    names = field.components[cut.first], field.components[cut.second]
    x, y, corners = _map(cut)
    found = values(cut.at(x, y))
    size = np.hypot(*(found[name] for name in names))

    # arrows stand in the middle of cells, so that none begins on the rim
    ends, count = cut.ends, _STREAMLINES if field.streamlines else _ARROWS
    part = np.linspace(0, 1, count) if field.streamlines else (np.arange(count) + 0.5) / count
    xs, ys = (low + (high - low) * part for low, high in ends)
    # matplotlib has the first axis along the columns
    there = cut.at(*(column.ravel() for column in np.meshgrid(xs, ys)))
    outside = ~cut.region.contains(there).numpy()
    found_there = values(there)
    u, v = (np.ma.masked_array(found_there[name], outside).reshape(count, count) for name in names)

    def draw(axis: Axes) -> None:
        from matplotlib.patheffects import Normal, Stroke

        shown = axis.tripcolor(x, y, size, triangles=corners, shading="gouraud", cmap=VALUES, rasterized=True)
        axis.figure.colorbar(shown, ax=axis)
        if field.streamlines:
            lines = axis.streamplot(xs, ys, u, v, color="white", linewidth=0.8, arrowsize=0.7).lines
            lines.set_path_effects([Stroke(linewidth=1.3, foreground="black"), Normal()])
        else:
            axis.quiver(xs, ys, u, v, color="white", edgecolor="black", linewidth=0.3, pivot="mid", width=0.006)
        axis.grid(False)
        axis.set(xlabel=cut.first, ylabel=cut.second, title=title)

    return draw


def _map(cut: Slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of points, and triangles between them: with the rim among them where the region is a plane one."""
    if set(cut.region.names) == {cut.first, cut.second}:
        points = lattice(cut.region, cut.count**2)
        return points[cut.first].numpy(), points[cut.second].numpy(), triangles(cut.region, points)
    return *cut.both, cut.corners
