"""A posteriori error estimates: the errors of a solution, estimated from its residuals without the true solution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.equations.constraints import domain
from pinnlab.equations.domain import users
from pinnlab.geometry import Points, concatenate, select, size, subsample
from pinnlab.jets.jet import assemble
from pinnlab.residuals import Residuals
from pinnlab.residuals.precise import rounding, subsampled
from pinnlab.training.evaluation.linear_gaussian import infer
from pinnlab.training.evaluation.linear_system import LinearSystem, linearise
from pinnlab.training.evaluation.worst_points import worst_points

# What bounds the time to seconds and the memory to some hundred megabytes: the rows of the least-squares problem, and
# the points where the deviation of the correction is evaluated.
_ROWS, _PLACES = 6000, 800

# Given points are measurements if they are many, or some with columns of data; few are conditions, for they do not
# tell their noise.
_MANY, _SOME = 10, 5


@dataclass(frozen=True)
class ErrorEstimates:
    """Estimated errors, and what the estimate is made of.

    Attributes:
        errors: Unknown or output -> estimate of its error, of the largest error for an output; infinite where the
            residuals do not determine it.
        shifts: Unknown or output -> how far the corrected solution is from the present one.
        deviations: Unknown or output -> the standard deviation of its corrected value.
        points: Measured constraint -> its points that the estimate is made from, all where there are not too many.
        misfits: Measured constraint -> weighted residual at these points after the correction, `(rows, N)`.
        noises: Measured constraint -> the standard deviation of the noise in these.
        explained: The part of the equation's residual that the correction removes.
    """

    errors: dict[str, float]
    shifts: dict[str, float] = field(default_factory=dict)
    deviations: dict[str, float] = field(default_factory=dict)
    points: dict[str, Points] = field(default_factory=dict)
    misfits: dict[str, Tensor] = field(default_factory=dict)
    noises: dict[str, float] = field(default_factory=dict)
    explained: float = 1.0


def error_estimates(
    residuals: Residuals,
    held_out: Mapping[str, Points],
    trained: Mapping[str, Points] | None = None,
    rounding_errors: Mapping[str, float] | None = None,
) -> ErrorEstimates:
    """Estimates the errors of unknowns and outputs from the residuals at held-out points.

    The idea is to find the correction that would make the residuals vanish: its size is the error. Let r be the
    weighted residuals, J = ∂r/∂θ their derivatives in the network's weights θ, and S = ∂r/∂p those in the unknowns p.
    A correction changes the solution u to u + Σ_j v_j ∂u/∂θ_j and the unknowns p to p + δ, and should satisfy

        r + J v + S δ = noise.

    The weights themselves stay, so that the correction is linear in v for every length of v. v and δ have normal
    priors: v_j has the standard deviation 1, and δ_i has ten times |p_i|. The noise levels are the most probable ones,
    see `infer`. A constraint on given points with data is a measurement, and its rows are noisy; the rows of the
    equation are as exact as the tangents ∂u/∂θ_j allow. The estimate is

        √((|shift| / explained)² + deviation²) + rounding.

    Here shift is the posterior mean of δ_i for an unknown, and max_x |Σ_j v_j ∂u/∂θ_j(x)| for an output; deviation is
    the posterior's standard deviation. The factor `explained` is 1 − ‖r'‖/‖r‖, with the residual r' after the
    correction: it assumes that r' belongs to an error in the proportion in which the removed residual does. The
    deviation contains the noise of measurements and everything that the rows do not determine, so that an unknown
    that is not determined has an infinite estimate. The rounding is that of the network's values.

    A large network has more weights than can be used: the tangents are those of its last layers, or a subsample of
    these. There are at least three rows for each tangent, so that no correction fits by chance. The derivatives are
    those of n-TangentProp under every engine.

    The estimate knows the constraints alone. It does not see an error of the problem itself: a half-line that is cut
    off too early, a condition that is missing, or a wrong equation.

    Args:
        residuals: The residual blocks, of a trained network.
        held_out: Held-out points of every constraint.
        trained: The points of training, where the residuals should vanish too.
        rounding_errors: Constraint -> the root mean square of its rows' rounding errors, without the factor 1/√N of a
            mean over N points.

    Raises:
        UserError: if an operation of the network has no rule for jets or double-double numbers.
    """
    twin = residuals.with_engine(NTP())
    equation, constraints = residuals.equation, residuals.equation.constraints()
    inside, noisy = domain(constraints), measured(equation)
    # nodes of training and of a finer rule do not fit together, and the finer one sees more
    alone = noisy | {name for name, constraint in constraints.items() if not constraint.local}
    every = _together(held_out, trained or {}, alone)
    if (worst := _worst(twin, inside, 2 * size(held_out[inside]))) is not None:
        every[inside] = concatenate([worst, every[inside]])
    points = _some(residuals, every)
    system = linearise(twin, points)
    if system is None:
        return ErrorEstimates(dict.fromkeys([*equation.unknowns(), *equation.outputs], math.inf))
    places, used = _places(equation, every)
    some = subsample(len(places), _PLACES)
    few = places[some]
    functions = system.functions(few)
    exact = [name for name in points if name not in noisy]
    least = _rounding_level(residuals, {name: len(system.rows[name].value) for name in exact}, rounding_errors)
    groups = [name for name in points if name in noisy]
    posterior = infer(system.together(exact), [system.rows[name] for name in groups], functions, least)

    shifts = system.shifts(posterior.corrections, places, used)
    count = len(few) * len(equation.outputs)
    spread = (posterior.deviation[:count].view(len(few), -1) * used[some]).amax(0)
    deviations = torch.cat((posterior.deviation[count:], spread))
    errors = _errors(shifts, deviations, system, posterior.explained)
    exactly, _ = _places(equation, {inside: subsampled(residuals, points)[inside]})
    errors[len(system.scales) :] += rounding(residuals.function, exactly).abs().amax(0)
    names = [*equation.unknowns(), *equation.outputs]
    misfits = [part.view(residuals.height(name), -1) for name, part in zip(groups, posterior.misfits, strict=True)]
    return ErrorEstimates(
        dict(zip(names, errors.tolist(), strict=True)),
        dict(zip(names, shifts.tolist(), strict=True)),
        dict(zip(names, deviations.tolist(), strict=True)),
        {name: points[name] for name in groups},
        dict(zip(groups, misfits, strict=True)),
        dict(zip(groups, posterior.noises, strict=True)),
        posterior.explained,
    )


def _errors(shifts: Tensor, deviations: Tensor, system: LinearSystem, explained: float) -> Tensor:
    """The estimates before rounding, of the unknowns and then of the outputs."""
    hidden = shifts / explained if explained > 0 else torch.full_like(shifts, math.inf)
    errors = torch.hypot(torch.where(shifts > 0, hidden, 0.0), deviations)
    unknowns = len(system.scales)
    if system.blind:
        errors[unknowns:] = math.inf
    # an error of twice the unknown itself, which the prior alone bounds, is none
    errors[:unknowns][deviations[:unknowns] > system.scales / 5] = math.inf
    return errors


def _worst(residuals: Residuals, name: str, candidates: int) -> Points | None:
    """Points of a constraint where its residual is largest; None where its region has no neighbourhoods."""
    constraint = residuals.equation.constraints()[name]
    region = constraint.region
    if not constraint.local or region.dimension != residuals.equation.dimension:
        return None

    def magnitude(points: Points) -> Tensor:
        if size(points) == 0:
            return torch.zeros(0)
        there = {key: column.to(device) for key, column in points.items()}
        with torch.no_grad():
            return residuals({name: there}, residuals.weighting)[name].norm(dim=0).cpu()

    device = next(residuals.parameters()).device
    found = worst_points(region, magnitude, candidates)
    return {key: column.to(device) for key, column in found.items()} if size(found) else None


def measured(equation: Equation) -> set[str]:
    """The constraints on given points that are measurements."""
    return {
        name
        for name, constraint in equation.constraints().items()
        if constraint.local
        and constraint.region.dimension == 0
        and constraint.region.measure >= (_SOME if set(constraint.region.names) - set(equation.inputs) else _MANY)
    }


def _rounding_level(
    residuals: Residuals, counts: Mapping[str, int], rounding_errors: Mapping[str, float] | None
) -> float:
    """The root mean square of the rounding errors of all rows of these constraints, so many each."""
    squares = sum(residuals.height(name) * (rounding_errors or {}).get(name, 0.0) ** 2 for name in counts)
    return math.sqrt(squares / max(1, sum(counts.values())))


def _together(held_out: Mapping[str, Points], trained: Mapping[str, Points], given: set[str]) -> dict[str, Points]:
    """The points that training has not seen and those that it has; measurements are both, and count once."""
    return {
        name: concatenate([batch, trained[name]]) if name in trained and name not in given else batch
        for name, batch in held_out.items()
    }


def _some(residuals: Residuals, points: Mapping[str, Points]) -> dict[str, Points]:
    """The same part of the points of each constraint, all where there are few: two ends are no sample of each other."""
    rows = sum(residuals.height(name) * size(batch) for name, batch in points.items())
    parts = math.ceil(rows / _ROWS)
    return {
        name: select(batch, subsample(size(batch), max(100, size(batch) // parts))) for name, batch in points.items()
    }


def _places(equation: Equation, points: Mapping[str, Points]) -> tuple[Tensor, Tensor]:
    """Where the outputs' errors are estimated.

    Returns:
        The points of all constraints, `(N, d)`; and for each output 1 where a constraint asks for it and 0 elsewhere,
        `(N, outputs)`.
    """
    constraints = equation.constraints()
    flat = [constraints[name].flat(batch) for name, batch in points.items()]
    places = [assemble({axis: batch[axis] for axis in equation.inputs})[0] for batch in flat]
    asking = [users(equation, output) for output in equation.outputs]
    used = [
        place.new_tensor([float(name in names) for names in asking]).expand(len(place), -1)
        for name, place in zip(points, places, strict=True)
    ]
    return torch.cat(places), torch.cat(used)
