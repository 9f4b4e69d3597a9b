"""How far a solution is from the true one, found without knowing that one: by correcting its defect once."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.func import functional_call, jvp

from pinnlab.engines import NTP
from pinnlab.equations.base import domain
from pinnlab.geometry import Points, select, size
from pinnlab.jets.jet import assemble
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian import Linearisation
from pinnlab.residuals.precise import rounding, thinned
from pinnlab.residuals.sensitivity import slopes

# What bounds the time to seconds and the memory to some hundred megabytes, for any network: the weights whose tangents
# are computed, and the tangents and rows that the least-squares problem is made of.
_WEIGHTS, _TANGENTS, _ROWS = 5000, 1200, 6000

# How much of the residual the correction of an output takes away: the first digit of its error needs no more.
_EXPLAINED = 0.9


def uncertainties(
    residuals: Residuals, points: Mapping[str, Points], totals: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Estimates of the errors of unknowns and outputs, from the residuals at points that training has not seen.

    With the weighted residuals r there, their derivatives J in the network's weights θ and S in the unknowns p, the
    least-squares problem

        min ‖r + J v + S δ‖² + μ‖v‖²   over v and δ

    corrects the solution u to u + Σ_j v_j ∂u/∂θ_j and the unknowns to p + δ. The weights do not move: the correction
    is linear in v however long v is, and where it is small the residual is nearly linear in it. With μ at rounding
    −δ is the error of p but for what no tangent ∂u/∂θ_j can correct: r' = r + J v + S δ is left, and could hide an
    error of ‖r'‖ ‖S⁺_i‖ (‖r'‖/‖S‖ for one unknown). With the largest μ that takes nine tenths of r away, the change
    of u is its error to a digit, and as small as the residuals allow between the points. So the estimates are

        |δ_i| + ‖r'‖ ‖S⁺_i‖ for an unknown,
        max_x |Σ_j v_j ∂u/∂θ_j| / (1 − ‖r'‖/‖r‖) + the largest rounding error of u for an output.

    Tangents are those of the last layers of a large network, and every n-th of many; there are three rows for each at
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
    tangents = min(_TANGENTS, int(jacobian.norm(dim=1).count_nonzero()) // 3)
    chosen = slice(None, None, max(1, math.ceil(jacobian.shape[1] / tangents))) if tangents else slice(0)
    j = jacobian[:, chosen]
    path = _Path(j - s @ (inverse @ j), r - s @ (inverse @ r))
    rest = r + j @ path.correction(0.0)
    delta = -inverse @ rest
    left = (rest + s @ delta).norm()
    sizes = delta.abs() + left * torch.where(s.norm(dim=0) > 0, inverse.norm(dim=1), math.inf)
    found = dict(zip(equation.unknowns(), sizes.tolist(), strict=True))

    v = r.new_zeros(jacobian.shape[1])
    v[chosen] = path.correction(1 - _EXPLAINED)
    explained = 1 - path.left(1 - _EXPLAINED)
    if explained <= 0:
        return found | dict.fromkeys(equation.outputs, math.inf)
    parts = dict(zip(weights, v.split([p.numel() for p in weights.values()]), strict=True))
    at, along = (
        {name.removeprefix("network."): part.view_as(weights[name]) for name, part in named.items()}
        for named in (weights, parts)
    )
    name = domain(equation.constraints())
    x, few = (
        assemble({axis: batch[name][axis] for axis in equation.inputs})[0]
        for batch in (points, thinned(residuals, points))
    )
    change: Tensor = jvp(lambda p: functional_call(network, p, (x,)), (at,), (along,))[1]
    errors = change.abs().amax(0) / explained + rounding(network, few).abs().amax(0)
    return found | dict(zip(equation.outputs, errors.tolist(), strict=True))


class _Path:
    """The solutions v of min ‖r + J v‖² + μ‖v‖² for all μ, `(P,)`, from one decomposition of J."""

    def __init__(self, jacobian: Tensor, r: Tensor) -> None:
        q, upper = torch.linalg.qr(jacobian)
        u, self._values, self._right = torch.linalg.svd(upper, full_matrices=False)
        self._inside = u.mT @ (q.mT @ r)
        self._norm = float(r.norm())
        self._outside = max(self._norm**2 - float(self._inside.square().sum()), 0.0)
        largest = float(self._values.max()) if len(self._values) else 0.0
        self._floor = max((5 * torch.finfo(r.dtype).eps * largest) ** 2, torch.finfo(r.dtype).tiny)

    def correction(self, left: float) -> Tensor:
        """The v that leaves this part of ‖r‖, or the least that rounding allows."""
        weights = self._values / (self._values.square() + self._damping(left))
        return -self._right.mT @ (weights * self._inside)

    def left(self, left: float) -> float:
        """The part of ‖r‖ that it does leave."""
        return self._remaining(self._damping(left)) / self._norm if self._norm else 0.0

    def _remaining(self, damping: float) -> float:
        kept = damping / (self._values.square() + damping) * self._inside
        return math.sqrt(self._outside + float(kept.square().sum()))

    def _damping(self, left: float) -> float:
        """By bisection between rounding and where nothing happens: what remains grows with the damping."""
        low, high = math.log(self._floor), math.log(self._floor) + 100
        if self._remaining(self._floor) > left * self._norm:
            return self._floor
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if self._remaining(math.exp(middle)) > left * self._norm else (middle, high)
        return math.exp(low)


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
    """Every n-th of the points of each constraint, all where there are few: two ends are no sample of each other."""
    rows = sum(residuals.height(name) * size(batch) for name, batch in points.items())
    n = math.ceil(rows / _ROWS)
    steps = {name: max(1, min(n, size(batch) // 100)) for name, batch in points.items()}
    return {name: select(batch, slice(None, None, steps[name])) for name, batch in points.items()}
