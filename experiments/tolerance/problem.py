"""What a problem of the tolerance benchmark is, and how a solution of it is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from pinnlab.equations import Equation

if TYPE_CHECKING:
    from pinnlab import Solution

Array = np.ndarray
Columns = Mapping[str, Array]
"""Values `(N,)` by the name of an input or an output."""

Truth = Callable[[Columns], dict[str, Array]]
"""The outputs by name at given coordinates."""


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
        tol: The tolerance that the solver is asked for, relative to the largest value of each output; None where noise
            sets it.
        bound: The largest allowed error of any judged output, relative to its largest value.
        seconds: The allowed time.
        l2: The largest allowed relative L2 error, where one is asked for.
        goal: An error to aim at beyond the bound.
        constants: Outputs that are judged up to a constant.
        left_out: Outputs that are not judged, since they are unbounded.
        unknowns: The true values of the unknowns.
        unknown_bound: The largest allowed relative error of an unknown.
        solvable: Whether the tolerance can be reached; where it cannot, the solver must say so, and where.
        other_truth: The true outputs where the equation's own are not good enough.
    """

    name: str
    row: str
    equation: Callable[[], Equation]
    points: Callable[[], dict[str, Array]]
    tol: float | None
    bound: float
    seconds: float
    l2: float | None = None
    goal: float | None = None
    constants: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unknowns: Mapping[str, float] = field(default_factory=dict)
    unknown_bound: float | None = None
    solvable: bool = True
    other_truth: Truth | None = None

    def truth(self, points: Columns) -> dict[str, Array]:
        """The true outputs at points, in float64."""
        if self.other_truth is not None:
            return self.other_truth(points)
        columns = {name: torch.as_tensor(column, dtype=torch.float64) for name, column in points.items()}
        return {name: field.value.numpy() for name, field in self.equation().solution(columns).items()}

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

    def judged(self, solution: Solution) -> Judged:
        """The errors of a solution against the truth, at all evaluation points."""
        points = self.points()
        truth, found = self.truth(points), solution.evaluate(**points)
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
