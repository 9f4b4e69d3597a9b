"""The residuals of a trained network as linear functions of a correction of its weights and the unknowns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, jvp, vmap

from pinnlab.geometry import Points, size, spaced
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian import Linearisation
from pinnlab.residuals.sensitivity import slopes
from pinnlab.training.evaluation.linear_gaussian import Rows

# What bounds the time to seconds and the memory to some hundred megabytes, for any network: the weights whose tangents
# are computed, and those of them that a correction has.
_WEIGHTS, _TANGENTS = 5000, 1200


@dataclass(frozen=True)
class LinearSystem:
    """Residuals that are linear in a correction z = (v_j, δ_i / scale_i).

    Attributes:
        network: The network.
        weights: Those whose tangents are computed, by name.
        chosen: Which of these v holds, flattened one after another.
        scales: The prior deviations of the unknowns.
        rows: Constraint -> its rows.
    """

    network: nn.Module
    weights: dict[str, Tensor]
    chosen: Tensor
    scales: Tensor
    rows: dict[str, Rows]

    @property
    def blind(self) -> bool:
        """Whether there is a residual, and no weight to correct it by."""
        return not len(self.chosen) and any(bool(rows.value.any()) for rows in self.rows.values())

    def together(self, names: Sequence[str]) -> Rows:
        """The rows of some constraints."""
        none = next(iter(self.rows.values()))
        parts = [self.rows[name] for name in names]
        return Rows(
            torch.cat([none.value[:0], *(part.value for part in parts)]),
            torch.cat([none.slope[:0], *(part.slope for part in parts)]),
        )

    def tangents(self, places: Tensor) -> Tensor:
        """∂u/∂θ_j of the chosen weights at all places and outputs, `(N · outputs, P)`."""
        return _tangents(self.network, places, self.weights, self.chosen)

    def shifts(self, corrections: Tensor, places: Tensor) -> Tensor:
        """|δ_i| of the unknowns, and the largest change of each output at the places."""
        count = len(self.chosen)
        v = corrections.new_zeros(sum(weight.numel() for weight in self.weights.values()))
        v[self.chosen] = corrections[:count]
        change = _change(self.network, places, self.weights, v).abs().amax(0)
        return torch.cat((corrections[count:].abs() * self.scales, change))


def linearise(residuals: Residuals, points: Mapping[str, Points]) -> LinearSystem | None:
    """The residuals as linear functions of corrections; None where they are not finite."""
    counts = {name: size(batch) for name, batch in points.items()}
    weights = _last(residuals)
    weighting = residuals.over(points)
    here = Linearisation(residuals, weights, points, weighting, held=True)
    r = here.vector
    if not bool(r.isfinite().all()):
        return None
    # without weights where the last layer alone has too many
    jacobian = here.jacobian() if weights else r.new_zeros(len(r), 0)
    values = [float(unknown.value.detach()) for unknown in residuals.equation.unknowns().values()]
    scales = r.new_tensor([10 * max(abs(value), 0.1) for value in values])
    s = torch.stack([torch.zeros_like(r), *slopes(residuals, points, weighting).values()])[1:].mT * scales
    # a row that no weight moves, as of a condition that is built in, restrains nothing
    chosen = spaced(jacobian.shape[1], min(_TANGENTS, int(jacobian.norm(dim=1).count_nonzero()) // 3))
    slope = torch.cat((jacobian[:, chosen], s), 1)
    groups = [block.numel() for block in here.blocks.values()]
    rows = dict(zip(counts, map(Rows, r.split(groups), slope.split(groups)), strict=True))
    return LinearSystem(residuals.network, weights, chosen, scales, rows)


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
