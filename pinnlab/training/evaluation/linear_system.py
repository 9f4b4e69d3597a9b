"""The residuals of a trained network as linear functions of a correction of its weights and the unknowns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, jvp, vmap

from pinnlab.geometry import Points, size, subsample
from pinnlab.networks import Parts, PerOutput
from pinnlab.networks.composed.seen import slots
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.residuals.jacobian.sensitivity import slopes
from pinnlab.training.evaluation.linear_gaussian import Rows

# What bounds the time to seconds and the memory to some hundred megabytes, for any network: the weights whose tangents
# are computed, and those of them that a correction has.
_WEIGHTS, _TANGENTS = 5000, 1200


@dataclass(frozen=True)
class LinearSystem:
    """Residuals that are linear in a correction z = (v_j, δ_i / scale_i).

    Attributes:
        network: The network.
        weights: Those whose tangents are computed, by name within the network.
        unknowns: The values of the unknowns, by name.
        chosen: Which of the weights v holds, flattened one after another.
        scales: The prior deviations of the unknowns.
        rows: Constraint -> its rows.
    """

    network: nn.Module
    weights: dict[str, Tensor]
    unknowns: dict[str, Tensor]
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

    def functions(self, places: Tensor) -> Tensor:
        """∂/∂z of the outputs at all places and of the unknowns, `(N · outputs + unknowns, P)`.

        An output depends on an unknown where the network sees it.
        """
        outputs = torch.cat((self._tangents(places), self._through_unknowns(places) * self.scales), 1)
        none = outputs.new_zeros(len(self.scales), len(self.chosen))
        return torch.cat((outputs, torch.cat((none, torch.diag(self.scales)), 1)))

    def shifts(self, corrections: Tensor, places: Tensor, used: Tensor) -> Tensor:
        """|δ_i| of the unknowns, and the largest change of each output where it is used.

        Args:
            corrections: z.
            places: Points, `(N, d)`.
            used: Where each output means something, `(N, outputs)`.
        """
        count = len(self.chosen)
        v = corrections.new_zeros(sum(weight.numel() for weight in self.weights.values()))
        v[self.chosen] = corrections[:count]
        delta = corrections[count:] * self.scales
        change = (self._change(places, v, delta).abs() * used).amax(0)
        return torch.cat((delta.abs(), change))

    def _outputs(self, weights: Mapping[str, Tensor], unknowns: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """The outputs at points `(N, d)` with these weights and unknowns."""
        seen = {slot: unknowns[name] for slot, name in slots(self.network).items()}
        result: Tensor = functional_call(self.network, {**weights, **seen}, (x,))
        return result

    def _change(self, x: Tensor, v: Tensor, delta: Tensor) -> Tensor:
        """The change Σ_j v_j ∂u/∂θ_j + Σ_i δ_i ∂u/∂p_i of the outputs, `(N, outputs)`."""
        if not self.weights and not self.unknowns:
            return torch.zeros_like(self._outputs({}, {}, x).detach())
        parts = v.split([weight.numel() for weight in self.weights.values()])
        along = {name: part.view_as(w) for (name, w), part in zip(self.weights.items(), parts, strict=True)}
        deltas = dict(zip(self.unknowns, delta.unbind(), strict=True))
        change: Tensor = jvp(lambda w, p: self._outputs(w, p, x), (self.weights, self.unknowns), (along, deltas))[1]
        return change.detach()

    def _tangents(self, places: Tensor) -> Tensor:
        """∂u/∂θ_j of the chosen weights at all places and outputs, `(N · outputs, P)`."""

        def outputs(weights: dict[str, Tensor], place: Tensor) -> Tensor:
            return self._outputs(weights, self.unknowns, place[None])[0]

        parts = []
        for some in places.split(200):
            if not self.weights:
                parts.append(some.new_zeros(self._outputs({}, self.unknowns, some).numel(), 0))
                continue
            slopes = vmap(jacrev(outputs), in_dims=(None, 0))(self.weights, some)
            columns = torch.cat([slopes[name].flatten(2) for name in self.weights], 2)
            parts.append(columns[..., self.chosen].flatten(0, 1))
        return torch.cat(parts).detach()

    def _through_unknowns(self, places: Tensor) -> Tensor:
        """∂u/∂p_i at all places and outputs, `(N · outputs, unknowns)`: 0 but for unknowns that the network sees."""
        seen = set(slots(self.network).values())
        count = self._outputs(self.weights, self.unknowns, places).numel()
        columns = [places.new_zeros(count, 0)]
        for name, value in self.unknowns.items():
            if name not in seen:
                columns.append(places.new_zeros(count, 1))
                continue

            def outputs(p: Tensor, name: str = name) -> Tensor:
                return self._outputs(self.weights, {**self.unknowns, name: p}, places)

            columns.append(jvp(outputs, (value,), (torch.ones_like(value),))[1].detach().reshape(count, 1))
        return torch.cat(columns, 1)


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
    jacobian = here.jacobian().dense() if weights else r.new_zeros(len(r), 0)
    unknowns = {name: unknown.value.detach() for name, unknown in residuals.equation.unknowns().items()}
    scales = r.new_tensor([10 * max(abs(float(value)), 0.1) for value in unknowns.values()])
    s = torch.stack([torch.zeros_like(r), *slopes(residuals, points, weighting).values()])[1:].mT * scales
    # a row that no weight moves, as of a condition that is built in, restrains nothing
    chosen = subsample(jacobian.shape[1], min(_TANGENTS, int(jacobian.norm(dim=1).count_nonzero()) // 3))
    slope = torch.cat((jacobian[:, chosen], s), 1)
    groups = [block.numel() for block in here.blocks.values()]
    rows = dict(zip(counts, map(Rows, r.split(groups), slope.split(groups)), strict=True))
    within = {name.removeprefix("network."): weight for name, weight in weights.items()}
    return LinearSystem(residuals.network, within, unknowns, chosen, scales, rows)


def _last(residuals: Residuals) -> dict[str, Tensor]:
    """The network's weights by name: those of its last modules, as many as are taken, in their order.

    Each of several networks of its own outputs has an equal share.
    """
    prefixes = _parts(residuals.network)
    parts: dict[str, list[dict[str, Tensor]]] = {}
    for prefix, module in residuals.network.named_modules():
        inside = f"network.{prefix}." if prefix else "network."
        own = {f"{inside}{name}": p.detach() for name, p in module.named_parameters(recurse=False)}
        if own:
            part = max((p for p in prefixes if f"{prefix}.".startswith(p)), key=len)
            parts.setdefault(part, []).append(own)
    chosen: dict[str, Tensor] = {}
    for modules in parts.values():
        share: dict[str, Tensor] = {}
        for own in reversed(modules):
            if sum(p.numel() for p in [*share.values(), *own.values()]) > _WEIGHTS // len(parts):
                break
            share = own | share
        chosen |= share
    return chosen


def _parts(network: nn.Module) -> list[str]:
    """The prefixes of networks that have outputs of their own, and "" for all else."""
    found = [""]
    for prefix, module in network.named_modules():
        if isinstance(module, Parts | PerOutput):
            found += [f"{prefix}.parts.{i}.".lstrip(".") for i in range(len(module.parts))]
    # what holds parts of its own is a part no more
    return [p for p in found if p == "" or not any(other != p and other.startswith(p) for other in found)]
