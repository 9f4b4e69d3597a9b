"""What a problem of the tolerance benchmark is, and how a solution of it is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from pinnlab.equations import Equation

if TYPE_CHECKING:
    from pinnlab import Solution

Array = np.ndarray
Columns = Mapping[str, Array]
"""Values `(N,)` by the name of an input or an output."""

Truth = Callable[[Columns, Path | None], dict[str, Array]]
"""The outputs by name at given coordinates; what takes long to compute is kept in the folder, if one is given."""


@dataclass(frozen=True)
class Judged:
    """The true errors of a solution, each the largest of its kind.

    Attributes:
        error: The largest error of an output over its largest value.
        l2: The largest relative L2 error of an output.
        unknown: The largest relative error of an unknown; None where there is none.
    """

    error: float
    l2: float
    unknown: float | None


@dataclass(frozen=True)
class Problem:
    """An equation as its textbook states it, its true solution, and what a solver has to reach.

    Attributes:
        name: The name in tables.
        row: The row of the benchmark's table that it belongs to.
        equation: Makes the equation.
        points: Makes the dense evaluation points, by input.
        truth: The true outputs at given coordinates, and a folder for what takes long to compute.
        tol: The tolerance that the solver is asked for, relative to the largest value of each output; None where noise
            sets it.
        bound: The largest allowed error of any judged output, relative to its largest value.
        seconds: The allowed time.
        accuracy: The error of the truth itself, relative to the largest value of an output.
        closed: Whether the equation's `exact` is the truth.
        l2: The largest allowed relative L2 error, where one is asked for.
        goal: An error to aim at beyond the bound.
        constants: Outputs that are judged up to a constant.
        left_out: Outputs that are not judged, since they are unbounded.
        unknowns: The true values of the unknowns.
        unknown_bound: The largest allowed relative error of an unknown.
        solvable: Whether the tolerance can be reached; where it cannot, the solver must say so, and where.
    """

    name: str
    row: str
    equation: Callable[[], Equation]
    points: Callable[[], dict[str, Array]]
    truth: Truth
    tol: float | None
    bound: float
    seconds: float
    accuracy: float = 1e-14
    closed: bool = True
    l2: float | None = None
    goal: float | None = None
    constants: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unknowns: Mapping[str, float] = field(default_factory=dict)
    unknown_bound: float | None = None
    solvable: bool = True

    def errors(self, values: Columns, truth: Columns) -> dict[str, float]:
        """The largest error of each judged output over its largest value.

        Args:
            values: The outputs of a solution at points.
            truth: The true outputs at the same points.
        """
        return {name: float(np.abs(error).max() / scale) for name, error, scale in self._judged(values, truth)}

    def relative_l2(self, values: Columns, truth: Columns) -> dict[str, float]:
        """The relative L2 error of each judged output."""
        return {
            name: float(np.linalg.norm(error) / np.linalg.norm(truth[name]))
            for name, error, _ in self._judged(values, truth)
        }

    def judged(self, solution: Solution, folder: Path | None) -> Judged:
        """The errors of a solution against the truth, at all evaluation points.

        Args:
            solution: The solution.
            folder: Keeps what takes long to compute, if one is given.
        """
        points = self.points()
        truth, found = self.truth(points, folder), solution.evaluate(**points)
        values = {name: np.asarray(found[name]) for name in truth}
        unknowns = [abs(solution.unknowns[name] - true) / abs(true) for name, true in self.unknowns.items()]
        l2 = max(self.relative_l2(values, truth).values())
        return Judged(self.worst(values, truth), l2, max(unknowns) if unknowns else None)

    def worst(self, values: Columns, truth: Columns) -> float:
        """The largest of `errors`."""
        return max(self.errors(values, truth).values())

    def _judged(self, values: Columns, truth: Columns) -> Iterator[tuple[str, Array, float]]:
        for name, true in truth.items():
            if name in self.left_out:
                continue
            error = np.asarray(values[name]) - true
            if name in self.constants:
                error = error - (error.max() + error.min()) / 2
                true = true - (true.max() + true.min()) / 2
            yield name, error, float(np.abs(true).max())


def closed_form(equation: Callable[[], Equation]) -> Truth:
    """The truth by the equation's own `exact`, in float64."""

    def truth(points: Columns, folder: Path | None = None) -> dict[str, Array]:
        made = equation()
        columns = {name: torch.as_tensor(column, dtype=torch.float64) for name, column in points.items()}
        return {name: field.value.numpy() for name, field in made.solution(columns).items()}

    return truth


def grid(**axes: tuple[float, float, int]) -> Callable[[], dict[str, Array]]:
    """All points of a regular grid, `grid(t=(0, 1, 101), x=(-1, 1, 201))`: lower end, upper end and number by axis."""

    def points() -> dict[str, Array]:
        mesh = np.meshgrid(*(np.linspace(*ends) for ends in axes.values()), indexing="ij")
        return {name: column.ravel() for name, column in zip(axes, mesh, strict=True)}

    return points


def cube(*names: str, count: int = 20000) -> Callable[[], dict[str, Array]]:
    """Random points of a unit cube; a third of the points lies on faces, where up to all coordinates are 0 or 1."""

    def points() -> dict[str, Array]:
        draw = np.random.default_rng(20261101)
        unit = draw.random((count, len(names)))
        rim = count // 3
        on_face = draw.random((rim, len(names))) < draw.random((rim, 1))
        unit[:rim] = np.where(on_face, np.round(unit[:rim]), unit[:rim])
        return dict(zip(names, unit.T, strict=True))

    return points


def disc(radius: float = 1.0, rings: int = 41, angles: int = 128) -> Callable[[], dict[str, Array]]:
    """A polar grid of the disc around the origin, its rim included."""

    def points() -> dict[str, Array]:
        r, angle = np.meshgrid(np.linspace(0, radius, rings), np.arange(angles) * 2 * np.pi / angles, indexing="ij")
        return {"x": (r * np.cos(angle)).ravel(), "y": (r * np.sin(angle)).ravel()}

    return points
