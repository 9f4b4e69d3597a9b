"""A picture of a region by points of its boundary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinnlab.errors import UserError
from pinnlab.reporting.figures.style import VALUES, save, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pinnlab.geometry import Region


def plot_region(region: Region, points: int = 3000, path: str | Path | None = None) -> Figure:
    """Points of the boundary of a region in the plane or in space, coloured by the last component of the normal.

    Args:
        region: A solid of two or three coordinates, numbers each.
        points: How many.
        path: A file to write too, .png, .pdf or .svg.

    Raises:
        UserError: the region has another number of coordinates or no boundary, or the ending of the file is wrong.

    Example:
        >>> from pinnlab.geometry import Ball
        >>> plot_region(Ball()).axes[0].get_zlabel()
        'z'
    """
    from matplotlib.figure import Figure

    # torch is not for commands that read records alone
    from pinnlab.collocation import Sobol

    names = region.names
    if len(names) not in (2, 3) or any(lower.dim() for lower, _ in region.extent.values()):
        raise UserError(f"a region of two or three coordinates can be drawn, not of {', '.join(names)}")
    if path is not None and Path(path).suffix not in (".png", ".pdf", ".svg"):
        raise UserError(f"{path}: a picture is a .png, .pdf or .svg file")
    found = Sobol().sample(region.boundary, points, seed=0)
    look: dict[str, Any] = {"c": found[f"normal_{names[-1]}"], "s": 3, "cmap": VALUES}
    with styled():
        figure = Figure(figsize=(4.2, 3.8))
        axes = figure.add_subplot(projection="3d" if len(names) == 3 else None)
        axes.scatter(*(found[name] for name in names), **look)
        axes.set_aspect("equal")
        axes.set(**{f"{axis}label": name for axis, name in zip("xyz", names, strict=False)})
        if path is not None:
            save(figure, Path(path), [Path(path).suffix[1:]])
    return figure
