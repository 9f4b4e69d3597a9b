"""A posteriori error estimates: how far a solution is from the true one, found without knowing the true one."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, jvp, vmap

from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.equations.base import domain
from pinnlab.geometry import Points, concatenate, select, size, spaced
from pinnlab.jets.jet import assemble
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian import Linearisation
from pinnlab.residuals.precise import rounding, thinned
from pinnlab.residuals.sensitivity import slopes
from pinnlab.training.linear_gaussian import Rows, infer
from pinnlab.training.worst_points import worst_points

# What bounds the time to seconds and the memory to some hundred megabytes, for any network: the weights whose tangents
# are computed, the tangents and rows of the least-squares problem, and the points where the correction is evaluated.
_WEIGHTS, _TANGENTS, _ROWS, _PLACES = 5000, 1200, 6000, 800

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
        deviations: Unknown or output -> the standard deviation of the corrected one.
        misfits: Measured constraint -> weighted residual at its held-out points after the correction, `(rows, N)`.
        noises: Measured constraint -> the standard deviation of the noise in these.
        explained: The part of the equation's residual that the correction removes.
    """

    errors: dict[str, float]
    shifts: dict[str, float] = field(default_factory=dict)
    deviations: dict[str, float] = field(default_factory=dict)
    misfits: dict[str, Tensor] = field(default_factory=dict)
    noises: dict[str, float] = field(default_factory=dict)
    explained: float = 1.0


def error_estimates(
    residuals: Residuals,
    held_out: Mapping[str, Points],
    trained: Mapping[str, Points] | None = None,
    rounding_errors: Mapping[str, float] | None = None,
) -> ErrorEstimates:
    """Estimates the errors of unknowns and outputs from the residuals at points that training has not seen.

    With the weighted residuals r there, their derivatives J in the network's weights θ and S in the unknowns p, the
    correction of the solution u to u + Σ_j v_j ∂u/∂θ_j and of the unknowns to p + δ should leave

        r + J v + S δ = noise.

    The weights do not move: the correction is linear in v however long v is, and where it is small the residual is
    nearly linear in it. v and δ have normal priors, v_j of deviation 1 and δ_i of ten times |p_i|; the noise levels
    are the most probable ones, see `infer`. Constraints on given points with data are measurements, which are noisy;
    those of the equation are as exact as tangents allow. An estimate is

        √((|shift| / explained)² + deviation²) + rounding,

    of the posterior's mean |δ_i|, or max_x |Σ_j v_j ∂u/∂θ_j(x)|, and its standard deviation. `explained` is the part
    1 − ‖r'‖/‖r‖ of the equation's residual that the correction removes: what is left, r', is taken to hide an error
    in proportion. The deviation holds the noise of measurements, and all that the rows do not determine: an
    unknown of which only the prior is known has no finite estimate.

    Tangents are those of the last layers of a large network, and some of many; there are three rows for each at
    least, so that a correction cannot be found by chance. Derivatives are those of n-TangentProp, whatever the engine.

    The estimate knows the constraints alone. It does not see what they leave out: a half-line cut off, a
    condition that is missing from the equation, or an equation that is wrong.

    Args:
        residuals: The residual blocks, of a trained network.
        held_out: Points of every constraint that training has not seen.
        trained: The points of training: a solution satisfies the equation there as well.
        rounding_errors: Constraint -> the root mean square of its rows' rounding errors, as if each was of one point.

    Raises:
        UserError: if an operation of the network has no rule for jets or double-double numbers.
    """
    equation, network = residuals.equation, residuals.network
    twin = copy.copy(residuals)
    twin.engine = NTP()
    measured = _measured(equation)
    inside = domain(equation.constraints())
    every = _together(held_out, trained or {}, measured)
    if (worst := _worst(twin, inside, 2 * size(held_out[inside]))) is not None:
        every[inside] = concatenate([worst, every[inside]])
    points = _some(residuals, every)
    counts = {name: size(batch) for name, batch in points.items()}
    weights = _last(residuals)
    here = Linearisation(twin, weights, points, counts, held=True)
    r = here.vector
    if not bool(r.isfinite().all()):
        return ErrorEstimates(dict.fromkeys([*equation.unknowns(), *equation.outputs], math.inf))
    # without weights where the last layer alone has too many
    jacobian = here.jacobian() if weights else r.new_zeros(len(r), 0)
    unknowns = equation.unknowns()
    scales = r.new_tensor([10 * max(abs(float(unknown.value.detach())), 0.1) for unknown in unknowns.values()])
    s = torch.stack([torch.zeros_like(r), *slopes(twin, points, counts).values()])[1:].mT * scales
    # a row that no weight moves, as of a condition that is built in, restrains nothing
    chosen = spaced(jacobian.shape[1], min(_TANGENTS, int(jacobian.norm(dim=1).count_nonzero()) // 3))
    slope = torch.cat((jacobian[:, chosen], s), 1)
    groups = [residuals.height(name) * count for name, count in counts.items()]
    rows = dict(zip(counts, map(Rows, r.split(groups), slope.split(groups)), strict=True))
    exact = [part for name, part in rows.items() if name not in measured]
    equations = Rows(
        torch.cat([r[:0], *(part.value for part in exact)]), torch.cat([slope[:0], *(part.slope for part in exact)])
    )
    places = _places(equation, every)
    few = places[spaced(len(places), _PLACES)]
    functions = torch.block_diag(_tangents(network, few, weights, chosen), torch.diag(scales))
    least = _rounding_level(residuals, {name: counts[name] for name in rows if name not in measured}, rounding_errors)
    posterior = infer(equations, [rows[name] for name in rows if name in measured], functions, least)

    v = r.new_zeros(jacobian.shape[1])
    v[chosen] = posterior.corrections[: len(chosen)]
    change = _change(network, places, weights, v).abs().amax(0)
    shift = torch.cat((posterior.corrections[len(chosen) :].abs() * scales, change))
    spread = posterior.deviation[: len(few) * len(equation.outputs)].view(len(few), -1).amax(0)
    deviation = torch.cat((posterior.deviation[len(few) * len(equation.outputs) :], spread))
    part = max(posterior.explained, 0.0)
    errors = torch.hypot(torch.where(shift > 0, shift / part if part else math.inf, 0.0), deviation)
    if not len(chosen) and r.any():
        errors[len(scales) :] = math.inf
    # an error of twice the unknown itself, which the prior alone bounds, is none
    errors[: len(scales)][deviation[: len(scales)] > scales / 5] = math.inf
    exactly = assemble({axis: thinned(residuals, points)[inside][axis] for axis in equation.inputs})[0]
    errors[len(scales) :] += rounding(network, exactly).abs().amax(0)
    names = [*unknowns, *equation.outputs]
    misfits = zip([name for name in rows if name in measured], posterior.misfits, strict=True)
    noises = zip([name for name in rows if name in measured], posterior.noises, strict=True)
    return ErrorEstimates(
        dict(zip(names, errors.tolist(), strict=True)),
        dict(zip(names, shift.tolist(), strict=True)),
        dict(zip(names, deviation.tolist(), strict=True)),
        {name: part.view(residuals.height(name), -1) for name, part in misfits},
        dict(noises),
        posterior.explained,
    )


def _worst(residuals: Residuals, name: str, candidates: int) -> Points | None:
    """Points of a constraint where its residual is largest; None where its region has no neighbourhoods."""
    region = residuals.equation.constraints()[name].region
    if region.dimension != residuals.equation.dimension:
        return None

    def magnitude(points: Points) -> Tensor:
        if size(points) == 0:
            return torch.zeros(0)
        there = {key: column.to(device) for key, column in points.items()}
        with torch.no_grad():
            return residuals({name: there}, {name: 1.0})[name].norm(dim=0).cpu()

    device = next(residuals.parameters()).device
    found = worst_points(region, magnitude, candidates)
    return {key: column.to(device) for key, column in found.items()} if size(found) else None


def _measured(equation: Equation) -> set[str]:
    """The constraints on given points that are measurements."""
    return {
        name
        for name, constraint in equation.constraints().items()
        if constraint.region.dimension == 0
        and constraint.region.measure >= (_SOME if set(constraint.region.names) - set(equation.inputs) else _MANY)
    }


def _rounding_level(
    residuals: Residuals, counts: Mapping[str, int], rounding_errors: Mapping[str, float] | None
) -> float:
    """The root mean square of the rounding errors of all rows of these constraints, of so many points each."""
    squares = sum(residuals.height(name) * (rounding_errors or {}).get(name, 0.0) ** 2 for name in counts)
    return math.sqrt(squares / max(1, sum(residuals.height(name) * count for name, count in counts.items())))


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
    return {name: select(batch, spaced(size(batch), max(100, size(batch) // parts))) for name, batch in points.items()}


def _places(equation: Equation, points: Mapping[str, Points]) -> Tensor:
    """Where the outputs' errors are estimated: the points of all constraints, `(N, d)`."""
    return torch.cat([assemble({axis: batch[axis] for axis in equation.inputs})[0] for batch in points.values()])


def _change(network: nn.Module, x: Tensor, weights: Mapping[str, Tensor], v: Tensor) -> Tensor:
    """The change Σ_j v_j ∂u/∂θ_j of the outputs, `(N, d)`."""
    if not weights:
        return torch.zeros_like(network(x).detach())
    parts = v.split([weight.numel() for weight in weights.values()])
    at = {name.removeprefix("network."): weight for name, weight in weights.items()}
    along = {name: part.view_as(weight) for (name, weight), part in zip(at.items(), parts, strict=True)}
    change: Tensor = jvp(lambda p: functional_call(network, p, (x,)), (at,), (along,))[1]
    return change.detach()


def _tangents(network: nn.Module, places: Tensor, weights: Mapping[str, Tensor], chosen: Tensor) -> Tensor:
    """∂u/∂θ_j of the chosen weights at all places and outputs, `(N · outputs, P)`."""
    at = {name.removeprefix("network."): weight for name, weight in weights.items()}

    def outputs(p: dict[str, Tensor], place: Tensor) -> Tensor:
        result: Tensor = functional_call(network, p, (place[None],))[0]
        return result

    parts = []
    for some in places.split(200):
        if not at:
            parts.append(some.new_zeros(network(some).numel(), 0))
            continue
        slopes = vmap(jacrev(outputs), in_dims=(None, 0))(at, some)
        columns = torch.cat([slopes[name].flatten(2) for name in at], 2)
        parts.append(columns[..., chosen].flatten(0, 1))
    return torch.cat(parts).detach()


def _last(residuals: Residuals) -> dict[str, Tensor]:
    """The network's weights by name: those of its last modules, as many as are taken, in their order."""
    chosen: dict[str, Tensor] = {}
    for prefix, module in reversed(list(residuals.named_modules())):
        own = {f"{prefix}.{name}": p.detach() for name, p in module.named_parameters(recurse=False)}
        if not own or not prefix.startswith("network"):
            continue
        if sum(p.numel() for p in [*chosen.values(), *own.values()]) > _WEIGHTS:
            break
        chosen = own | chosen
    return chosen
