"""Pictures and animations of a solution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from pinnlab.equations import Equation
from pinnlab.equations.inputs import axis_names
from pinnlab.errors import UserError
from pinnlab.geometry import Points, size
from pinnlab.reporting.figures import picture
from pinnlab.reporting.figures.space.animation import animate, check, reels
from pinnlab.reporting.figures.space.flow import VectorField
from pinnlab.reporting.figures.space.views import views
from pinnlab.solution.requests import Request, components, requested
from pinnlab.strategy.structure.evolution import evolution

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[Any]
Evaluate = Callable[[Sequence[Request], Mapping[str, npt.ArrayLike]], Mapping[str, Array]]


def time_of(equation: Equation) -> str | None:
    """The input that is the time; None where there is none."""
    found = evolution(equation)
    return next((n for n in ("t", "time") if n in equation.inputs), None) if found is None else found.along


@dataclass(frozen=True)
class Pictures:
    """What draws a solution.

    Attributes:
        equation: Its equation.
        evaluate: Values of requests at points.
        title: Lines above a picture.
        margins: The estimated errors of outputs.
        until: Where the solution ends in time, if that is before the end.
    """

    equation: Equation
    evaluate: Evaluate
    title: Sequence[str]
    margins: Mapping[str, float]
    until: float | None

    def plot(
        self, names: Sequence[str], arrows: Sequence[str], streamlines: Sequence[str], path: str | Path | None
    ) -> Figure:
        """A figure; see `Solution.plot`."""
        time = time_of(self.equation)
        vectors = [self._vector(each, lines, time) for each, lines in ((arrows, False), (streamlines, True)) if each]
        parts = [name for vector in vectors for name in vector.components.values()]
        # a vector field alone has no maps of its components beside it
        fields = {} if vectors and not names else self._fields(names)
        values = self._values([*(names or (() if vectors else self.equation.outputs)), *parts])
        margins = {name: self.margins.get(name, math.nan) for name in fields}
        panels = views(self.equation, fields, values, margins, time, self.until, vectors)
        return picture(list(panels.values()), self.title, None if path is None else Path(path))

    def animate(self, names: Sequence[str], path: str | Path, frames: int, seconds: float) -> Path:
        """Writes an animation; see `Solution.animate`."""
        path, time = Path(path), time_of(self.equation)
        check(path)
        if time is None:
            raise UserError(f"{self.equation.name} has no time: plot() draws it")
        if frames < 2 or not seconds > 0:
            raise UserError(f"an animation needs at least 2 frames, and takes some seconds; got {frames} and {seconds}")
        fields = self._fields(names)
        times, found = reels(self.equation, fields, self._values(names), time, frames, self.until)
        animate(found, times, time, self.title, path, seconds)
        return path

    def _requests(self, names: Sequence[str]) -> list[Request]:
        """Outputs and derivatives by name; all outputs by default."""
        return [r for r in requested(self.equation, names) if r.name in (names or self.equation.outputs)]

    def _fields(self, names: Sequence[str]) -> dict[str, str]:
        """Field -> the output that it is, or is a derivative of: a request along a vector has several."""
        return {f"{r.name}{part}": r.output for r in self._requests(names) for part in components(r)}

    def _values(self, names: Sequence[str]) -> Callable[[Points], dict[str, Array]]:
        """What computes the fields of requests at points, `(N,)` each."""
        asked = self._requests(names)

        def values(points: Points) -> dict[str, Array]:
            found = self.evaluate(asked, {name: points[name].numpy() for name in self.equation.inputs})
            columns: dict[str, Array] = {}
            for r in asked:
                parts = found[r.name].reshape(size(points), -1).T
                columns |= {f"{r.name}{part}": column for part, column in zip(components(r), parts, strict=True)}
            return columns

        return values

    def _vector(self, names: Sequence[str], streamlines: bool, time: str | None) -> VectorField:
        """The vector field of these components, along the axes of space in their order.

        Raises:
            UserError: if there are not as many as axes of space, or fewer than two.
        """
        space = [axis for axis in axis_names(self.equation.inputs) if axis != time]
        if isinstance(names, str) or len(names) != len(space) or len(space) < 2:
            raise UserError(
                f"a vector field of {self.equation.name} has {len(space)} components, along {', '.join(space)}, as "
                f"arrows=('u', 'v') has in a plane; got {names!r}"
            )
        fields = self._fields(names)
        return VectorField(dict(zip(space, names, strict=True)), fields[names[0]], streamlines)
