"""Findings: sentences that say what is wrong with a solution and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from pinnlab.equations import Equation
from pinnlab.equations.domain import home
from pinnlab.geometry import Points
from pinnlab.jets.jet import assemble
from pinnlab.residuals import Residuals
from pinnlab.training.evaluation.error_estimates import ErrorEstimates

# An error of a third of the solution is an error as large as the solution, and one of a hundredth matters to everyone.
_LARGE, _MATTERS = 1 / 3, 1e-2

# A loss on points that training has not seen that is so many times that of training is no accident of the points.
_FAR_ABOVE = 1e3

# In units of the standard deviation: a shift of this size changes √(shift² + deviation²) by a fifth.
_NOTICED = 0.6

# The correlation of neighbours' misfits in units of its deviation 1/√N under independent noise.
_SIGNIFICANT = 4.0


def findings(
    residuals: Residuals,
    estimates: ErrorEstimates,
    points: Mapping[str, Points],
    losses: tuple[float | None, float],
) -> list[str]:
    """Sentences that say what is wrong with a solution and what to do about it; none where nothing is.

    Args:
        residuals: The residuals that were trained.
        estimates: The estimates of its errors.
        points: Held-out points of every constraint.
        losses: The loss where training ended, if it is known, and the held-out loss.
    """
    equation = residuals.equation
    relative = _relative(residuals, estimates, points)
    found = [*_undetermined(equation, estimates), *_large(estimates, relative)]
    trained, held_out = losses
    if trained is not None and held_out > _FAR_ABOVE * trained and max(relative.values()) > _MATTERS:
        found.append(
            f"the loss on held-out points, {held_out:.0e}, is far above that of training, {trained:.0e}: the network "
            "fits the equation at its points and not between them; take more points or a smaller network"
        )
    return [*found, *_misfit(residuals, estimates, relative)]


def _relative(residuals: Residuals, estimates: ErrorEstimates, points: Mapping[str, Points]) -> dict[str, float]:
    """The estimate of every output in units of the output's range; of its size where it hardly varies."""
    equation, found = residuals.equation, {}
    constraints = equation.constraints()
    for column, name in enumerate(equation.outputs):
        where = home(equation, name)
        inside = constraints[where].flat(points[where])
        with torch.no_grad():
            values = residuals.function(assemble({axis: inside[axis] for axis in equation.inputs})[0])[:, column]
        size, extent = float(values.abs().amax()), float(values.amax() - values.amin())
        unit = extent if extent > _MATTERS * size else size
        found[name] = estimates.errors[name] / max(unit, torch.finfo(values.dtype).tiny)
    return found


def _undetermined(equation: Equation, estimates: ErrorEstimates) -> Iterator[str]:
    names = [name for name in equation.unknowns() if math.isinf(estimates.errors[name])]
    if names:
        one = len(names) == 1
        yield (
            f"{' and '.join(names)} {'is' if one else 'are'} not determined: {'it' if one else 'they'} can change "
            "without a change of the residuals; fix one of the unknowns, or measure what tells them apart"
        )


def _large(estimates: ErrorEstimates, relative: Mapping[str, float]) -> Iterator[str]:
    for name, part in relative.items():
        if not math.isfinite(part):
            yield f"the error of {name} cannot be estimated: no correction by the network lowers its residual"
        elif part > _LARGE:
            yield (
                f"the estimated error of {name}, ± {estimates.errors[name]:.0e}, is as large as {name} itself: this is "
                "no solution; train longer or with GaussNewton, take more points, or solve a shorter interval first"
            )


def _misfit(residuals: Residuals, estimates: ErrorEstimates, relative: Mapping[str, float]) -> Iterator[str]:
    """What the misfit of measurements tells, where it is no small thing."""
    equation = residuals.equation
    if max(relative.values()) < _MATTERS / 10:
        return
    noisy = False
    for name, misfit in estimates.misfits.items():
        points = estimates.points[name]
        with torch.enable_grad():
            before = residuals({name: points})[name].detach()
        # a misfit that the correction removes is no noise, and says that training has not ended yet
        if float(misfit.norm()) < float(before.norm()) / 2:
            continue
        noisy = True
        places = assemble({axis: points[axis] for axis in equation.inputs})[0]
        correlation = neighbour_correlation(misfit, places)
        if correlation * math.sqrt(misfit.numel()) > _SIGNIFICANT:
            yield (
                f"the misfit of {name!r} is no noise, for neighbouring measurements are off alike (correlation "
                f"{correlation:.2f}): training has not converged, or the equation does not describe the data"
            )
    moved = [
        name
        for name in equation.unknowns()
        if math.isfinite(estimates.errors[name]) and estimates.shifts[name] > _NOTICED * estimates.deviations[name]
    ]
    if noisy and moved:
        shift, deviation = estimates.shifts[moved[0]], estimates.deviations[moved[0]]
        yield (
            f"the fit does not hold the equation: if it did, {moved[0]} would move by {shift:.1e}, which is not small "
            f"beside its error bar of {deviation:.1e}; raise the weights of the equation's constraints, or train longer"
        )


def neighbour_correlation(misfit: Tensor, places: Tensor) -> float:
    """Σ d_i d_n(i) / Σ d_i², with n(i) the nearest other point of i: 0 for independent noise, 1 for a smooth misfit.

    Args:
        misfit: d, `(rows, N)`; rows are added up.
        places: The points, `(N, d)`; distances are relative to their extent along every axis.
    """
    if len(places) < 2 or not misfit.any():
        return 0.0
    extent = places.amax(0) - places.amin(0)
    scaled = places / torch.where(extent > 0, extent, 1.0)
    distance = torch.cdist(scaled, scaled).fill_diagonal_(math.inf)
    nearest = misfit[:, distance.argmin(1)]
    return float((misfit * nearest).sum() / misfit.square().sum())
