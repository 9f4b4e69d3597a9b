"""Two solves of one window: how far they agree, and what they hand on to the next window."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pinnlab.collocation import Sobol
from pinnlab.equations.domain import users
from pinnlab.equations.inputs import axis_names
from pinnlab.geometry import Points, size
from pinnlab.jets import IndexSet
from pinnlab.strategy.features import Layered, Range, extent, stretched
from pinnlab.strategy.layers import layers, spread
from pinnlab.strategy.structure.window import Before, handed
from pinnlab.strategy.trials.points import fresh
from pinnlab.strategy.trials.trial import Trial
from pinnlab.training.evaluation.error_estimates import error_estimates, measured

# The number of points inside where solutions are compared, and of all constraints where residuals are judged.
_COMPARED, _HELD_OUT = 2000, 1000
# The size of an output beside that of the largest one below which it counts as zero.
_VANISHES = 1e-9
# A loss that stays between these parts with more features is one of no solution, and how often its root counts.
_STALLED, _STATIONARY = (0.8, 2.0), 30.0


@dataclass
class Piece:
    """An accepted window, or the whole solution of an equation without time.

    Attributes:
        end: Where the window ends; None without time.
        main: The solution.
        other: The solution with fewer features, which goes on from its own windows.
        errors: The largest difference of both, relative, by output and unknown.
        sizes: The largest value of each output so far, `(outputs,)`.
    """

    end: float | None
    main: Trial
    other: Trial
    errors: dict[str, float]
    sizes: Tensor

    @property
    def state(self) -> dict[str, Any]:
        """The piece as tensors and numbers."""
        trials = {"main": self.main.residuals.state_dict(), "other": self.other.residuals.state_dict()}
        return {**trials, "held_out": self.main.held_out, "errors": self.errors, "sizes": self.sizes}


def main_of(piece: Piece | None) -> Trial | None:
    """The solution of a piece, if there is one."""
    return None if piece is None else piece.main


def other_of(piece: Piece | None) -> Trial | None:
    """The solution with fewer features of a piece, if there is one."""
    return None if piece is None else piece.other


@dataclass(frozen=True)
class Places:
    """Points where solutions are compared: inside, and on all conditions.

    Attributes:
        points: The inputs, `(N,)` each, `(N, d)` for a vector.
        used: For each point and output 1 where a constraint asks for the output and 0 elsewhere, `(N, outputs)`: an
            output of one part of the region may have any values in the other parts.
    """

    points: Points
    used: Tensor


def compared(trial: Trial) -> Places:
    """The points where a solution is compared with others."""
    equation = trial.residuals.equation
    asking = [users(equation, output) for output in equation.outputs]
    found, used, denser = [], [], stretched(equation, trial.features)
    for number, (key, constraint) in enumerate(trial.residuals.constraints.items()):
        share = max(constraint.region.dimension, 1) / max(1, equation.dimension)
        n = max(16, math.ceil(_COMPARED**share))
        # of nodes of a rule those of a finer one: two solves may agree at their own nodes alone
        region = spread(constraint, denser).refined
        batch = constraint.flat(Sobol().sample(region, region.units(n), 104729 + number))
        found.append({name: batch[name] for name in equation.inputs})
        used.append(torch.tensor([float(key in names) for names in asking]).expand(size(batch), -1))
    return Places({name: torch.cat([batch[name] for batch in found]) for name in equation.inputs}, torch.cat(used))


def largest(trial: Trial, places: Places) -> Tensor:
    """The largest value of each output of a solution, `(outputs,)`."""
    return (trial.values(places.points).abs() * places.used).amax(0)


def differences(
    main: Trial, other: Trial, places: Places, sizes: Tensor
) -> tuple[dict[str, float], dict[str, float | list[float]]]:
    """The largest difference of two solutions for each output and unknown, relative to its size.

    Args:
        main: A solution.
        other: Another one.
        places: Where they are compared.
        sizes: The sizes of the outputs, `(outputs,)`.

    Returns:
        The differences by name, and the point of the largest one.
    """
    equation, points = main.residuals.equation, places.points
    relative = (main.values(points) - other.values(points)).abs() / scales(sizes)
    relative = torch.where(relative.isfinite(), relative, torch.inf).where(places.used > 0, 0.0)
    found = dict(zip(equation.outputs, relative.amax(0).tolist(), strict=True))
    others = other.unknowns()
    for name, value in main.unknowns().items():
        found[name] = abs(value - others[name]) / (abs(value) or 1.0)
    worst = int(relative.amax(1).argmax())
    return found, {name: points[name][worst].tolist() for name in equation.inputs}


def changed(trial: Trial, places: Places, sizes: Tensor, along: str) -> float:
    """How much a solution changes from the start to the end of its window, relative to the sizes."""
    points = places.points
    ends = [torch.full_like(points[along], float(end)) for end in (points[along].min(), points[along].max())]
    first, last = (trial.values({**points, along: end}) for end in ends)
    return float(((last - first).abs() * places.used / scales(sizes)).max())


def scales(sizes: Tensor) -> Tensor:
    """The sizes by which errors of outputs are measured, `(outputs,)`.

    An output that vanishes, but for what errors of others may leave of it, has the size of the largest one; if all
    vanish, their size is 1.
    """
    largest = float(sizes.max()) or 1.0
    return torch.where(sizes > _VANISHES * largest, sizes, largest)


def unresolved(trial: Trial, outputs: Range, sizes: Tensor, fewer: Trial | None = None) -> float:
    """What the residual at points that training has not seen says of the error, relative to the sizes: √loss.

    Two solves may agree on what is no solution, such as the same stationary point of the loss. The rows of the loss are
    scaled so that its root is of the order of the relative error of a rough function, and smaller for a smooth one. A
    loss that stays the same with more features is one of no solution, such as a stationary point, where both have
    ended: its root counts thirty times, unless there is noise. A loss that gets much larger is one of too few points.

    Args:
        trial: A solve.
        outputs: The range of the outputs.
        sizes: The sizes of the outputs.
        fewer: The solve with fewer features.
    """
    # the rows do not say which output they belong to: the one that is smallest beside what was expected counts
    unit = float((scales(sizes) / torch.tensor(outputs.size)).min())
    stalled = fewer is not None and _STALLED[0] * fewer.held_out < trial.held_out < _STALLED[1] * fewer.held_out
    return (
        (_STATIONARY if stalled and not measured(trial.residuals.equation) else 1.0) * math.sqrt(trial.held_out) / unit
    )


def before(trial: Trial, along: str, orders: Mapping[str, int]) -> Before:
    """The columns with which a window starts from a solution."""
    equation = trial.residuals.equation
    axis, highest = axis_names(equation.inputs).index(along), max(orders.values())

    def columns(points: Points) -> dict[str, Tensor]:
        inputs = {name: points[name] for name in equation.inputs}
        with torch.enable_grad():
            fields = trial.residuals.fields(inputs, IndexSet.simplex(equation.dimension, highest - 1))
        found = {}
        for output, order in orders.items():
            for k in range(order):
                alpha = tuple(k if i == axis else 0 for i in range(equation.dimension))
                found[handed(output, k)] = fields[output].derivative(alpha).detach()
        return found

    return columns


def measured_errors(trial: Trial, sizes: Tensor) -> dict[str, float]:
    """The errors that noise in measurements causes, relative to the sizes of outputs and unknowns.

    Two solutions of the same measurements agree in what the noise did to them. The posterior of `error_estimates` knows
    it. Empty for an equation without measurements.

    Args:
        trial: A solution.
        sizes: The largest value of each output, `(outputs,)`.
    """
    residuals = trial.residuals
    if not measured(residuals.equation):
        return {}
    found = error_estimates(residuals, fresh(residuals, trial.features, _HELD_OUT, 1), trial.points).errors
    equation = residuals.equation
    by_name = dict(zip(equation.outputs, scales(sizes).tolist(), strict=True))
    by_name |= {name: abs(value) for name, value in trial.unknowns().items()}
    return {name: error / (by_name[name] or 1.0) for name, error in found.items()}


def layers_of(trial: Trial, sizes: Tensor, stretchable: Sequence[bool], along: str | None) -> Layered:
    """The layers of a solution along each column of the inputs.

    Args:
        trial: The solution.
        sizes: The sizes of the outputs, `(outputs,)`.
        stretchable: The columns to look along.
        along: The time, at whose end to look; everywhere without one.
    """
    columns = {column: s for column, s in enumerate(trial.features.stretchings()) if stretchable[column]}
    if not columns:
        return ()
    equation = trial.residuals.equation
    end = extent(equation)[1]
    fixed = {} if along is None else {along: end[axis_names(equation.inputs).index(along)]}
    return layers(trial.residuals, scales(sizes), columns, fixed)
