"""Animations of a solution in time: curves over one axis of space, maps over two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnlab.equations import Equation
from pinnlab.errors import UserError
from pinnlab.geometry import Region
from pinnlab.reporting.figures.space.places import Slice, Values, drawn, extent_of, in_parts, middle_of, points_of
from pinnlab.reporting.figures.space.views import to_scale
from pinnlab.reporting.figures.style import FOUND, VALUES, panels, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".gif", ".mp4")

# Points of a curve, and along each axis of a map.
_CURVE, _SIDE = 401, 81
# The part of a curve's height that stays free above and below it; inches of a panel, and dots for an inch.
_FREE, _PANEL, _DPI = 0.05, (4.4, 3.6), 100


@dataclass(frozen=True)
class Reel:
    """One field at all times.

    Attributes:
        name: The field.
        axes: One or two axes of space.
        coordinates: The points along each axis, `(N,)`.
        values: `(times, N)`, NaN outside of the region.
        corners: The triangles of a map at each time, `(T, 3)`; empty for curves.
    """

    name: str
    axes: tuple[str, ...]
    coordinates: tuple[np.ndarray, ...]
    values: np.ndarray
    corners: tuple[np.ndarray, ...]

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest value at all times, and a little apart where they are the same."""
        low, high = float(np.nanmin(self.values)), float(np.nanmax(self.values))
        return (low, high) if high > low else (low - 0.5, high + 0.5)


def reels(
    equation: Equation, fields: Mapping[str, str], values: Values, time: str, count: int, until: float | None = None
) -> tuple[np.ndarray, list[Reel]]:
    """Fields of a solution at times: the times `(count,)`, and the fields.

    Over more than two axes of space the map is a slice over the first two, through the middle of the region.

    Args:
        equation: What names the inputs and has the region.
        fields: Field -> the output that it is, or is a derivative of.
        values: What computes the fields.
        time: The input that is the time.
        count: How many times.
        until: Where the solution ends in time, if that is before the end.

    Raises:
        UserError: if there is no axis of space, or the equation holds on a surface or on points.
    """
    found: list[Reel] = []
    times = np.zeros(0)
    for region, names in drawn(equation, fields, time, until):
        if region.dimension < equation.dimension:
            raise UserError(f"{equation.name} holds on a surface or on points: evaluate the solution, and draw those")
        extent, middle = extent_of(equation, region), middle_of(equation, region)
        space = [axis for axis in extent if axis != time]
        if not space:
            raise UserError(f"{equation.name} has no input but the time: plot() shows the whole of it")
        times = np.linspace(*extent[time], count)
        some = in_parts(values, names)
        if len(space) == 1:
            found += _curves(equation, region, some, space[0], time, times)
        else:
            first, second = space[:2]
            cuts = [Slice(equation, region, middle | {time: t}, first, second, _SIDE) for t in times.tolist()]
            corners, both = tuple(cut.corners for cut in cuts), cuts[0].both
            frames = [some(cut.at(*both)) for cut in cuts]
            where = [np.isin(np.arange(len(both[0])), each) for each in corners]
            for name in names:
                shown = np.stack([np.where(w, f[name], np.nan) for w, f in zip(where, frames, strict=True)])
                found.append(Reel(name, (first, second), both, shown, corners))
    return times, found


def _curves(
    equation: Equation, region: Region, values: Values, name: str, time: str, times: np.ndarray
) -> Iterator[Reel]:
    low, high = extent_of(equation, region)[name]
    x = np.linspace(low, high, _CURVE)
    frames = []
    for t in times.tolist():
        points = points_of(equation, {name: x, time: np.full_like(x, t)})
        inside = region.contains(points).numpy()
        frames.append({key: np.where(inside, column, np.nan) for key, column in values(points).items()})
    for key in frames[0]:
        yield Reel(key, (name,), (x,), np.stack([frame[key] for frame in frames]), ())


def animate(
    reels: Sequence[Reel], times: np.ndarray, time: str, title: Sequence[str], path: Path, seconds: float
) -> None:
    """Write an animation, in which scales and colours mean the same at all times.

    Args:
        reels: The fields.
        times: The times.
        time: The name of the time.
        title: Lines of a title above.
        path: The file, .gif or .mp4.
        seconds: How long it takes.

    Raises:
        UserError: if it is another kind of file, or there is no ffmpeg, which writes .mp4.
    """
    check(path)
    with styled():
        figure, axes = panels(len(reels), size=_PANEL)
        update = [_begun(axis, reel) for axis, reel in zip(axes, reels, strict=True)]
        head = "\n".join(title)
        with _writer(figure, path, len(times) / seconds) as grab:
            for number, t in enumerate(times.tolist()):
                for each in update:
                    each(number)
                figure.suptitle(f"{head}\n{time} = {t:.4g}", fontsize="medium")
                if number == 0:
                    # places stay, whatever the widths of numbers
                    figure.canvas.draw()
                    figure.set_layout_engine("none")
                grab()


def check(path: Path) -> None:
    """Makes sure that an animation can be written to a file of this name.

    Raises:
        UserError: if it is no .gif or .mp4, or there is no ffmpeg for .mp4.
    """
    from matplotlib.animation import FFMpegWriter

    if path.suffix not in ENDINGS:
        raise UserError(f"{path}: an animation is written to a name that ends in {' or '.join(ENDINGS)}")
    if path.suffix == ".mp4" and not FFMpegWriter.isAvailable():
        raise UserError(f"{path}: .mp4 is written by ffmpeg, which is not installed here; choose .gif")


@contextmanager
def _writer(figure: Figure, path: Path, rate: float) -> Iterator[Any]:
    from matplotlib.animation import FFMpegWriter, PillowWriter
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    kind = PillowWriter if path.suffix == ".gif" else FFMpegWriter
    writer = kind(fps=rate)  # type: ignore[arg-type]
    with writer.saving(figure, str(path), _DPI):
        yield writer.grab_frame


def _begun(axis: Axes, reel: Reel) -> Any:
    """Axes for a field, and what draws it there at a time of a number."""
    low, high = reel.limits
    axis.set(title=reel.name, xlabel=reel.axes[0])
    if len(reel.axes) == 1:
        (x,) = reel.coordinates
        (line,) = axis.plot(x, reel.values[0], color=FOUND)
        free = _FREE * (high - low)
        axis.set(xlim=(x[0], x[-1]), ylim=(low - free, high + free))
        return lambda number: line.set_ydata(reel.values[number])

    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    x, y = reel.coordinates
    colors = Normalize(low, high)

    def ends(axis: Axes) -> None:
        axis.set(xlim=(x.min(), x.max()), ylim=(y.min(), y.max()), ylabel=reel.axes[1])

    to_scale(ends)(axis)
    axis.grid(False)
    axis.figure.colorbar(ScalarMappable(colors, VALUES), ax=axis)
    shown: list[Any] = []

    def draw(number: int) -> None:
        while shown:
            shown.pop().remove()
        corners = reel.corners[number]
        if len(corners):
            values = np.nan_to_num(reel.values[number])
            shown.append(axis.tripcolor(x, y, values, triangles=corners, shading="gouraud", cmap=VALUES, norm=colors))

    return draw
