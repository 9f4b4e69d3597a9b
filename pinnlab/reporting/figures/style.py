"""One style for all figures, and how they are saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOUND, EXACT = "#0072B2", "#000000"
"""The solution that was found, and the exact one."""

OTHERS = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Further colours; all of them can be told apart by colour-blind people (Okabe & Ito 2008)."""

CYCLE = (FOUND, *OTHERS)
VALUES, ERRORS = "viridis", "cividis"
"""Colour maps of even lightness, for a solution and for its error."""

LINES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
MARKS = ("o", "s")
ROUNDING = 1e-17
"""Where axes of errors end, relative to the size of what the errors are of: below are rounding errors and zeros."""

_BELOW = 31.0
"""Points below axes that their numbers and label take."""

_SETTINGS: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.fontsize": "small",
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "pdf.fonttype": 42,  # letters stay letters, not outlines
    "savefig.dpi": 150,
    "figure.constrained_layout.use": True,
}


def positive(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values with gaps where they are not positive or not finite, which a logarithmic axis has no place for."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def floored(sizes: npt.NDArray[Any], scale: float = 1.0) -> npt.NDArray[Any]:
    """Sizes of errors, raised to rounding where they are below it, so that a logarithmic axis ends there.

    Args:
        sizes: The sizes, not negative.
        scale: The size of what the errors are of.

    Example:
        >>> floored(np.array([0.0, 1e-19, 1e-3]), scale=2.0).tolist()
        [2e-17, 2e-17, 0.001]
    """
    return np.maximum(sizes, ROUNDING * (scale if np.isfinite(scale) and scale > 0 else 1.0))


def legend(axis: Axes, markerscale: float = 1.0, lower: float = 0.0) -> None:
    """A legend below the axes and their label, where it hides no curve; none where no curve has a name.

    Args:
        axis: The axes.
        markerscale: How much larger marks are than in the axes.
        lower: Points by which it is farther below.
    """
    labels = axis.get_legend_handles_labels()[1]
    if not labels:
        return
    found = axis.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=min(3, len(labels)), markerscale=markerscale,
        columnspacing=1.2, handlelength=1.5,
    )  # fmt: skip
    # in units of the font's size
    found.borderaxespad = (_BELOW + lower) / found.prop.get_size_in_points()


@contextmanager
def styled() -> Iterator[None]:
    """Draw within the block in the one style."""
    import matplotlib
    from cycler import cycler

    settings: Any = _SETTINGS | {"axes.prop_cycle": cycler(color=list(CYCLE))}
    with matplotlib.rc_context(settings):
        yield


def panels(count: int, columns: int = 4, size: tuple[float, float] = (3.2, 2.6)) -> tuple[Figure, Sequence[Axes]]:
    """A figure with `count` panels, at most `columns` in a line; call it within `styled()`."""
    from pinnlab.reporting.figures.inline import InlineFigure

    height = -(-count // columns)
    width = -(-count // height)
    figure = InlineFigure(figsize=(size[0] * width, size[1] * height))
    axes = figure.subplots(height, width, squeeze=False).ravel()
    for axis in axes[count:]:
        axis.remove()
    return figure, list(axes[:count])


def save(figure: Figure, path: Path, formats: Sequence[str] = ("png", "pdf")) -> list[Path]:
    """Write a figure in each format beside `path`, without times, so that equal figures are equal files."""
    written = []
    for name in formats:
        target = path.with_suffix(f".{name}")
        figure.savefig(target, metadata={"CreationDate": None} if name == "pdf" else None)
        written.append(target)
    return written
