"""How far a solution is from the true one, found without knowing that one: by correcting its defect once."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp

from pinnlab.engines import NTP
from pinnlab.equations.base import domain
from pinnlab.geometry import Points, select, size, spaced
from pinnlab.jets.jet import assemble
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian import Linearisation
from pinnlab.residuals.precise import rounding, thinned
from pinnlab.residuals.sensitivity import slopes

# What bounds the time to seconds and the memory to some hundred megabytes, for any network: the weights whose tangents
# are computed, and the tangents and rows that the least-squares problem is made of.
_WEIGHTS, _TANGENTS, _ROWS = 5000, 1200, 6000


def uncertainties(
    residuals: Residuals, points: Mapping[str, Points], totals: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Estimates of the errors of unknowns and outputs, from the residuals at points that training has not seen.

    With the weighted residuals r there, their derivatives J in the network's weights θ and S in the unknowns p, the
    least-squares problem

        min ‖r + J v + S δ‖² + μ‖v‖²   over v and δ

    corrects the solution u to u + Σ_j v_j ∂u/∂θ_j and the unknowns to p + δ. The weights do not move: the correction
    is linear in v however long v is, and where it is small the residual is nearly linear in it. What is left,
    r' = r + J v + S δ, may hide an error of the unknowns of ‖r'‖ ‖S⁺_i‖ (‖r'‖/‖S‖ where there is one); of the outputs
    it is taken to hide one in proportion, as the correction takes ‖r‖ − ‖r'‖ away. So the estimates are

        |δ_i| + ‖r'‖ ‖S⁺_i‖ for an unknown,
        max_x |Σ_j v_j ∂u/∂θ_j| / (1 − ‖r'‖/‖r‖) + the largest rounding error of u for an output.

    Where the tangents ∂u/∂θ_j reach the error these are the errors for any small μ; where they do not, as in a front
    between the points, a small μ makes a large correction of no use, and a large one leaves the proportion to chance.
    So they are made for the most probable μ (MacKay 1992, Bayesian interpolation: v normal, and noise in r with a
    variance μ times that of v) and for all that are smaller, and the least of each is taken.

    Tangents are those of the last layers of a large network, and some of many; there are three rows for each at
    least, so that a correction cannot be found by chance. Where they do not reach, r' stays as large as r, and the
    estimate of an unknown is the change that would matter as much as all of the residual. Derivatives are those of
    n-TangentProp, whatever the engine.

    Args:
        residuals: The residual blocks, of a trained network.
        points: The points of every constraint.
        totals: The numbers of points over all ranks.

    Returns:
        Name of unknown or output -> estimate; infinite where no residual depends on an unknown, or no correction of
        the solution was found.

    Raises:
        UserError: if an operation of the network has no rule for jets or double-double numbers.
    """
    equation, network = residuals.equation, residuals.network
    twin = copy.copy(residuals)
    twin.engine = NTP()
    weights = _last(residuals)
    some = _some(residuals, points)
    counts = {name: (totals or {}).get(name) or size(batch) for name, batch in points.items()}
    shares = {name: counts[name] * size(some[name]) / size(batch) for name, batch in points.items()}
    here = Linearisation(twin, weights, some, shares, held=True)
    r = here.vector
    # without weights where the last layer alone has too many
    jacobian = here.jacobian() if weights else r.new_zeros(len(r), 0)
    s = torch.stack([torch.zeros_like(r), *slopes(twin, some, shares).values()])[1:].mT
    inverse = torch.linalg.pinv(s)

    # a row that no weight moves, as of a condition that is built in, restrains nothing
    moved = int(jacobian.norm(dim=1).count_nonzero())
    chosen = spaced(jacobian.shape[1], min(_TANGENTS, moved // 3))
    j = jacobian[:, chosen]
    name = domain(equation.constraints())
    x, few = (
        assemble({axis: batch[name][axis] for axis in equation.inputs})[0]
        for batch in (points, thinned(residuals, points))
    )
    unknowns, outputs = [], [r.new_full((len(equation.outputs),), math.inf)]
    for part, explained in _corrections(j - s @ (inverse @ j), r - s @ (inverse @ r), moved):
        rest = r + j @ part
        delta = -inverse @ rest
        hidden = (rest + s @ delta).norm() * inverse.norm(dim=1)
        unknowns.append(delta.abs() + torch.where(s.norm(dim=0) > 0, hidden, math.inf))
        if explained > 0:
            v = r.new_zeros(jacobian.shape[1])
            v[chosen] = part
            outputs.append(_change(network, x, weights, v).abs().amax(0) / explained)
    least = torch.stack(unknowns).amin(0), torch.stack(outputs).amin(0) + rounding(network, few).abs().amax(0)
    return dict(zip([*equation.unknowns(), *equation.outputs], torch.cat(least).tolist(), strict=True))


def _corrections(jacobian: Tensor, r: Tensor, rows: int) -> Iterator[tuple[Tensor, float]]:
    """The solutions v of r + J v + noise = 0, `(P,)`, each with the part 1 − ‖r + J v‖/‖r‖ that it takes away.

    With v ~ N(0, τ²) and noise ~ N(0, μτ²) in n rows it is v = −(JᵀJ + μ)⁻¹Jᵀr. Minus twice the logarithm of the
    probability of μ, for the best τ, is n log rᵀ(JJᵀ + μ)⁻¹r + log det(JJᵀ + μ). Of values a decade apart, between a
    step along the gradient and the least that rounding allows, the most probable and all smaller ones are taken.
    """
    q, upper = torch.linalg.qr(jacobian)
    u, values, right = torch.linalg.svd(upper, full_matrices=False)
    norm, largest = float(r.norm()), float(values.max()) if len(values) else 0.0
    if norm == 0.0 or largest == 0.0:
        yield torch.zeros_like(jacobian[0]), 1.0 if norm == 0.0 else 0.0
        return
    inside = u.mT @ (q.mT @ r)
    outside = float((r - q @ (q.mT @ r)).square().sum())

    def improbable(damping: float) -> float:
        powers = values.square() + damping
        misfit = float((inside.square() / powers).sum()) + outside / damping
        return rows * math.log(misfit) + float(powers.log().sum()) + (rows - len(values)) * math.log(damping)

    decades = math.floor(-2 * math.log10(5 * torch.finfo(r.dtype).eps))
    dampings = [largest**2 / 10**n for n in range(decades + 1)]
    for damping in dampings[dampings.index(min(dampings, key=improbable)) :]:
        v = -right.mT @ (values / (values.square() + damping) * inside)
        yield v, 1 - float((r + jacobian @ v).norm()) / norm


def _change(network: nn.Module, x: Tensor, weights: Mapping[str, Tensor], v: Tensor) -> Tensor:
    """The change Σ_j v_j ∂u/∂θ_j of the outputs, `(N, d)`."""
    parts = v.split([weight.numel() for weight in weights.values()])
    at = {name.removeprefix("network."): weight for name, weight in weights.items()}
    along = {name: part.view_as(weight) for (name, weight), part in zip(at.items(), parts, strict=True)}
    change: Tensor = jvp(lambda p: functional_call(network, p, (x,)), (at,), (along,))[1]
    return change


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


def _some(residuals: Residuals, points: Mapping[str, Points]) -> dict[str, Points]:
    """The same part of the points of each constraint, all where there are few: two ends are no sample of each other."""
    rows = sum(residuals.height(name) * size(batch) for name, batch in points.items())
    parts = math.ceil(rows / _ROWS)
    return {name: select(batch, spaced(size(batch), max(100, size(batch) // parts))) for name, batch in points.items()}
