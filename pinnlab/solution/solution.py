"""A trained network as a function."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from pinnlab.equations.domain import outside, solids
from pinnlab.equations.inputs import axis_names
from pinnlab.errors import UserError
from pinnlab.geometry import Points, select, size
from pinnlab.reporting.coordinates import flat
from pinnlab.reporting.plus_minus import plus_minus
from pinnlab.residuals.hard.conditions import BuiltIn
from pinnlab.solution.output.pictures import Pictures
from pinnlab.solution.output.written import write_solution
from pinnlab.solution.requests import Request, closure, derivative, requested
from pinnlab.solution.tolerance.ending import Ending
from pinnlab.training.pinn import PINN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[Any]

# Points that are evaluated at once.
_BLOCK = 8192


class Solution:
    """A trained network as a function of named coordinates.

    Example:
        >>> import pinnlab
        >>> from pinnlab.problems import SelfSimilarBurgers
        >>> from pinnlab.training import Adam
        >>> solution = pinnlab.solve(SelfSimilarBurgers(1), phases=Adam(2), points={"interior": 9})
        >>> solution(X=[0.0, 0.5]).shape  # the output; a dictionary of arrays if there are several outputs
        (2,)
        >>> solution.d("X", "X", X=0.5).shape  # the second derivative, named as in residuals
        ()
        >>> sorted(solution.evaluate("U_X", X=[0.0, 0.5]))
        ['U', 'U_X']

    Attributes:
        model: The trained module.
        history: The record of the training by column: step, phase, seconds, loss, its shares, unknowns.
        metrics: Errors and residual norms on held-out points.
        ending: How a solve to a tolerance ended; None for a training with given phases.
    """

    def __init__(
        self,
        model: PINN,
        history: Mapping[str, Array],
        metrics: Mapping[str, float],
        dtype: torch.dtype,
        ending: Ending | None = None,
    ) -> None:
        """Wraps a trained module.

        Args:
            model: The module.
            history: The record of its training by column.
            metrics: Errors and residual norms.
            dtype: Of the points where it is evaluated.
            ending: How a solve to a tolerance ended.
        """
        self.model, self.ending = model, ending
        self.history = dict(history)
        self.metrics = dict(metrics)
        self._dtype = dtype

    def __repr__(self) -> str:
        """The unknowns and outputs with their estimated errors, and how the solve ended."""
        parts = [*self._found, *([] if self.ending is None else self.ending.lines)]
        return f"{self.model.equation.name}: {', '.join(parts)}"

    @property
    def _found(self) -> list[str]:
        """The unknowns and outputs with their estimated errors."""
        margins = {name: self.metrics.get(f"uncertainty_{name}", math.nan) for name in self.model.equation.outputs}
        unknowns = [
            f"{name} = {plus_minus(value, self.metrics.get(f'uncertainty_{name}', math.nan))}"
            for name, value in self.unknowns.items()
        ]
        return unknowns + [f"{name} ± {margin:.0e}" for name, margin in margins.items()]

    @property
    def unknowns(self) -> dict[str, float]:
        """The values found for the unknowns."""
        return self.model.unknowns()

    @property
    def built_in(self) -> BuiltIn | None:
        """Which conditions are built into the network, and why others are not; None where none were to be."""
        return self.model.built_in

    @property
    def findings(self) -> list[str]:
        """Sentences that say what is wrong with the solution; empty if nothing is."""
        return list(self.model.findings)

    def __call__(self, /, **coordinates: npt.ArrayLike) -> Array | dict[str, Array]:
        """The outputs at points.

        Values outside of the region where the equation holds are extrapolated: they say nothing of the solution, and
        a line in the log of `pinnlab` counts such points.

        Args:
            **coordinates: Every input by name; arrays of one shape, or shapes that broadcast. A vector input has its
                components along one more dimension, the last.

        Returns:
            An array of that shape, or a dictionary of them by output name if there are several outputs.

        Raises:
            UserError: if a coordinate is missing, unknown, or of a shape that does not fit.
        """
        return self.d(**coordinates)

    def d(self, /, *along: str, **coordinates: npt.ArrayLike) -> Array | dict[str, Array]:
        """A derivative of the outputs: `d("t", "x", "x", t=…, x=…)` is ∂³u/∂t∂x².

        Args:
            *along: The inputs to differentiate along, in any order and as often as wanted. A vector input x gives all
                derivatives along it, in one more dimension; `"x.0"` gives the first of them.
            **coordinates: Every input by name, as in a call.

        Returns:
            An array of that shape, or a dictionary of them by output name if there are several outputs.

        Raises:
            UserError: if a name is not one of the inputs, or a coordinate is missing or does not fit.
        """
        equation = self.model.equation
        found = self._evaluate([derivative(equation, name, name, along) for name in equation.outputs], coordinates)
        if count := int((beyond := self.outside(**coordinates)).sum()):
            where = " and ".join(map(repr, solids(equation)))
            logging.getLogger("pinnlab").warning(
                "pinnlab: %d of %d points lie outside of the region of %s: values there are extrapolated",
                *(count, beyond.size, where),
            )
        return found if len(found) > 1 else found[equation.outputs[0]]

    def evaluate(self, /, *names: str, **coordinates: npt.ArrayLike) -> dict[str, Array]:
        """The outputs and several derivatives of them at once: `evaluate("u_x", "u_xx", x=…)`.

        No line in the log counts the points outside of the region; `outside` tells which they are.

        Args:
            *names: An output, an underscore, and an input for each differentiation, as `d` takes them. The name of an
                output is that output, also where it reads as a derivative of another.
            **coordinates: Every input by name, as in a call.

        Returns:
            Arrays of that shape by name, the outputs first; derivatives along vectors have more dimensions.

        Raises:
            UserError: if a name is wrong or may mean two things, or a coordinate is missing or does not fit.
        """
        return self._evaluate(requested(self.model.equation, names), coordinates)

    def outside(self, /, **coordinates: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which points lie outside of the region where the equation holds, in the shape of the points.

        Args:
            **coordinates: Every input by name, as in a call.

        Raises:
            UserError: if a coordinate is missing or does not fit.
        """
        columns, shape = flat(self.model.equation, coordinates)
        points = {name: torch.tensor(column, dtype=torch.float64) for name, column in columns.items()}
        return outside(self.model.equation, points).numpy().reshape(shape)

    def derivative(self, order: int, /, **coordinates: npt.ArrayLike) -> Array | dict[str, Array]:
        """The derivative of that order, for an equation of one input.

        Raises:
            UserError: if the equation has several inputs, or the order is negative.
        """
        names = axis_names(self.model.equation.inputs)
        if len(names) != 1 or order < 0:
            raise UserError("derivative(order, …) takes one input and an order from 0; use d(…) for several inputs")
        return self.d(*names * order, **coordinates)

    def plot(
        self,
        *names: str,
        path: str | Path | None = None,
        arrows: Sequence[str] = (),
        streamlines: Sequence[str] = (),
    ) -> Figure:
        """A picture of the solution, or of derivatives of it: `plot()`, `plot("u", "u_x")`.

        One input: curves, with a band of ± the estimated error. Two: a map of each field, and for an equation with time
        also curves at five times. More: maps of slices through the middle of the region, for an equation with time at
        its start, middle and end. Nothing is drawn outside of the region. The title has the unknowns and the estimated
        errors.

        Args:
            *names: Outputs, and derivatives named as `evaluate` takes them; all outputs by default, and none by default
                where there is a vector field.
            path: A file to write too, .png, .pdf or .svg.
            arrows: The components of a vector field along the axes of space, such as `("u", "v")` or `("p_x", "p_y")`:
                its size in colour, with arrows.
            streamlines: The same with streamlines.

        Returns:
            A figure of matplotlib, which a notebook shows.

        Raises:
            UserError: if a name or the ending of the file is wrong, or the equation holds on a surface or on points of
                more than two axes.

        Example:
            >>> import pinnlab
            >>> from pinnlab.problems import SelfSimilarBurgers
            >>> from pinnlab.training import Adam
            >>> solution = pinnlab.solve(SelfSimilarBurgers(1), phases=Adam(2), points={"interior": 9})
            >>> [axes.get_title() for axes in solution.plot("U", "U_XX").axes]
            ['U', 'U_XX']
        """
        return self._pictures.plot(names, arrows, streamlines, path)

    def animate(self, *names: str, path: str | Path, frames: int = 50, seconds: float = 5.0) -> Path:
        """An animation of the solution in time, or of derivatives of it: `animate(path="heat.gif")`.

        One axis of space: curves. Two: maps. More: maps of a slice. Scales and colours mean the same at all times.

        Args:
            *names: Outputs, and derivatives named as `evaluate` takes them; all outputs by default.
            path: The file: .gif, or .mp4 where ffmpeg is installed.
            frames: How many times are shown, from the first to the last.
            seconds: How long it takes.

        Returns:
            The file.

        Raises:
            UserError: if a name or the ending of the file is wrong, there is no ffmpeg for it, or the equation has no
                time or no axis beside it.
        """
        return self._pictures.animate(names, path, frames, seconds)

    def write(
        self,
        path: str | Path,
        /,
        *names: str,
        vectors: Mapping[str, Sequence[str]] | None = None,
        **coordinates: npt.ArrayLike,
    ) -> Path:
        """Write the outputs and derivatives to a file, as `predict` does: `write("field.vtu", "u_x")`.

        Values outside of the region are NaN, which ParaView does not show.

        Args:
            path: .npz, .csv, or for ParaView .vtu, .vti (a grid of even steps), .vtk, and .pvd (a series in time).
            *names: Derivatives, named as `evaluate` takes them.
            vectors: Name -> the components of a vector in .vtu, .vti and .pvd: `{"velocity": ("u", "v")}`.
            **coordinates: The points as in a call; in as many dimensions as there are axes they are a grid. By default
                a grid over the whole region, and for a .vtu file of a region in the plane a mesh that fits it.

        Raises:
            UserError: if a name, a coordinate or the ending of the file is wrong, or VTK cannot have it.
        """
        write_solution(self, Path(path), names, coordinates, vectors)
        return Path(path)

    @property
    def _pictures(self) -> Pictures:
        equation = self.model.equation
        title = [f"{equation.name}: {', '.join(line for line in self._found if not line.endswith('nan'))}"]
        title += [", ".join(self.ending.lines)] if self.ending is not None else []
        margins = {name: self.metrics.get(f"uncertainty_{name}", math.nan) for name in equation.outputs}
        until = None if self.ending is None else self.ending.until
        return Pictures(equation, self._evaluate, title, margins, until)

    def _evaluate(self, requests: Sequence[Request], coordinates: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        columns, shape = flat(self.model.equation, coordinates)
        points: Points = {
            name: torch.tensor(column, dtype=self._dtype, device=self.model.device) for name, column in columns.items()
        }
        blocks: list[list[torch.Tensor]] = []
        # the graph of all points at once takes gigabytes where there are many windows
        for start in range(0, max(1, size(points)), _BLOCK):
            with torch.enable_grad():
                fields = self.model.residuals.fields(select(points, slice(start, start + _BLOCK)), closure(requests))
                blocks.append([r.values(fields[r.output]).detach() for r in requests])
        values = [torch.cat(parts).cpu().numpy() for parts in zip(*blocks, strict=True)]
        return {r.name: value.reshape(shape + value.shape[1:]) for r, value in zip(requests, values, strict=True)}
