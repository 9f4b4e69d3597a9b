"""Stored features: a network that is affine in its trained parameters is evaluated once on fixed points."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnlab.geometry import Points, select, size, subsample
from pinnlab.residuals.elimination import Affine
from pinnlab.residuals.jacobian.calls import AffineCall, Replay, recorded
from pinnlab.residuals.jacobian.functional import ConstraintRows, Evaluation, passes
from pinnlab.residuals.jacobian.pointwise import own_row, repeated, repeats
from pinnlab.residuals.jacobian.whole import by_group, sensitivities, together
from pinnlab.residuals.residuals import Residuals

# Points at which affinity is tried, and how far rounding may take the outputs from it, in units of the last place.
_POINTS, _NOISE = 7, 1e4
# of the terms of C(0) − C(a) − C(b) + C(a + b)
_SIGNS = (1, -1, -1, 1)


class StoredRows(Evaluation):
    """The rows of one constraint from stored features: the network is not evaluated.

    With the coefficients C(θ) = C₀ + Φ θ of the network's calls,

        r(θ, p) = R(C₀ + Φ θ, p),   ∂r/∂θ = (∂R/∂C) Φ,

    and R never meets the network.
    """

    def __init__(self, rows: ConstraintRows, calls: Sequence[AffineCall], parameters: Mapping[str, Tensor]) -> None:
        """Evaluates the rows.

        Args:
            rows: The rows.
            calls: The calls of the network that they need.
            parameters: The trained parameters: θ of the network, and unknowns p.
        """
        self._rows, self._calls, self._parameters = rows, calls, parameters
        coefficients = [call.at(_theta(parameters)) for call in calls]
        self._local = rows.residuals.constraints[rows.name].local
        if not self._local:
            self._jets = [call.constant.like(c) for call, c in zip(calls, coefficients, strict=True)]
            with torch.no_grad():
                self.affine = self._replayed(rows, coefficients, parameters)
            return
        times = repeats(rows)
        n = times * size(rows.points)
        self._leaves = [c.repeat(1, times, 1).requires_grad_() for c in coefficients]
        self._own = {
            key: p.detach().expand(n, *p.shape).requires_grad_()
            for key, p in parameters.items()
            if not key.startswith("network.")
        }
        with torch.enable_grad():
            affine = self._replayed(repeated(rows, times), self._leaves, self._own)
            self.affine = affine.map(own_row) if times > 1 else affine

    def jacobian(self, values: Mapping[str, float]) -> Tensor:
        """See `Evaluation.jacobian`."""
        if self._local:
            return self._pointwise(values)
        found = []
        for g, group in enumerate(by_group(self._rows)):
            count = size(self._rows.residuals.constraints[group.name].flat(group.points))
            own = slice(g * count, (g + 1) * count)
            calls = [call.among(own) for call in self._calls]
            jets = [jet.like(jet.coefficients[:, own]) for jet in self._jets]
            by_coefficient, by_unknown = sensitivities(group, jets, self._parameters, values)
            parts = [call.through_all(slope) for slope, call in zip(by_coefficient, calls, strict=True)]
            found.append(together(self._parameters, torch.stack(parts).sum(0), by_unknown))
        return torch.stack(found, 1).flatten(0, 1)

    def again(self, parameters: Mapping[str, Tensor]) -> Affine:
        """See `Evaluation.again`."""
        coefficients = [call.at(_theta(parameters)) for call in self._calls]
        return self._replayed(self._rows, coefficients, parameters)

    def _replayed(
        self, rows: ConstraintRows, coefficients: Sequence[Tensor], parameters: Mapping[str, Tensor]
    ) -> Affine:
        """The rows where the network returns these coefficients."""
        replay = Replay([call.constant.like(c) for call, c in zip(self._calls, coefficients, strict=True)])
        unknowns = {key: p for key, p in parameters.items() if not key.startswith("network.")}
        return rows.with_network(replay).affine(unknowns)

    def _pointwise(self, values: Mapping[str, float]) -> Tensor:
        with torch.enable_grad():
            block = self.affine.at(values)
        height, n = block.shape
        leaves = [*self._leaves, *self._own.values()]
        single = self._leaves[0].shape[1] > n
        by_leaf = [torch.stack(gradients) for gradients in zip(*passes(block, leaves, single), strict=True)]
        count = len(self._calls)
        parts = []
        for call, slope in zip(self._calls, by_leaf[:count], strict=True):
            if single:  # (1, S, rows · N, outputs), row i at the i-th repetition
                slope = slope[0].unflatten(1, (height, n)).transpose(0, 1)
            parts.append(call.through(slope))
        network = parts[0] if count == 1 else torch.stack(parts).sum(0)
        unknowns = {key: slope.reshape(height * n, -1) for key, slope in zip(self._own, by_leaf[count:], strict=True)}
        return together(self._parameters, network.reshape(height * n, -1), unknowns)


class StoredOutputs:
    """Features that steps of a phase share, made anew when points, frozen parameters or what is trained change.

    A network qualifies if its Taylor coefficients at the points are affine in its trained parameters, which is tried
    with numbers: C(a + b) − C(a) − C(b) + C(0) = 0 for random a and b. So is one of fixed features, of which only the
    last layer is trained, as `RandomFeatures` or a stage of `Staged` that consists of it. Other networks are evaluated
    at every step, and so are the points of a constraint whose features would not fit into the memory.

    An object of this class belongs to whoever takes the steps, and holds the features of one set of points.

    Example:
        >>> import torch
        >>> from pinnlab.engines import NTP
        >>> from pinnlab.networks import RandomFeatures
        >>> from pinnlab.problems import Poisson
        >>> residuals = Residuals(RandomFeatures(2, 1, features=10), Poisson(), NTP())
        >>> parameters = {name: p.detach() for name, p in residuals.named_parameters()}
        >>> points = {"interior": {"x": torch.rand(5), "y": torch.rand(5)}}
        >>> calls = StoredOutputs().at(residuals, parameters, points, memory=1e6)
        >>> calls["interior"][0].features.shape  # value, two slopes and second derivatives of 10 features and 1 bias
        torch.Size([5, 5, 11])
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forgets everything."""
        self._network: _Network | None = None
        self._affine: bool | None = None
        self._points: dict[str, Points] = {}
        self._calls: dict[str, list[AffineCall]] = {}

    def at(
        self,
        residuals: Residuals,
        parameters: Mapping[str, Tensor],
        points: Mapping[str, Points],
        memory: float,
    ) -> dict[str, list[AffineCall]]:
        """The calls of the network by constraint, for the constraints whose features are stored.

        Args:
            residuals: The residual blocks.
            parameters: The trained parameters by name.
            points: The points of every constraint.
            memory: The bytes that the features may take.
        """
        network = _Network.of(residuals, parameters)
        if self._network is None or not network.same(self._network):
            self.clear()
            self._network = network
        every = {
            name: ConstraintRows(residuals, name, batch, residuals.weighting[name])
            for name, batch in points.items()
            if size(batch)
        }
        if self._affine is None and every:
            richest = max(every, key=lambda name: len(residuals.terms[name].indices))
            self._affine = _is_affine(every[richest], parameters)
        if not self._affine:
            return {}
        for name, rows in every.items():
            if name in self._points and _equal(rows.points, self._points[name]):
                continue
            self._points[name] = {key: column.clone() for key, column in rows.points.items()}
            self._calls.pop(name, None)
            left = memory - sum(call.nbytes for calls in self._calls.values() for call in calls)
            calls = _calls(rows, parameters, left)
            if calls is not None:
                self._calls[name] = calls
        return {name: calls for name, calls in self._calls.items() if name in every}


@dataclass(frozen=True)
class _Network:
    """What features depend on but for the points."""

    module: torch.nn.Module
    engine: object
    terms: object
    trained: tuple[str, ...]
    frozen: dict[str, Tensor]

    @staticmethod
    def of(residuals: Residuals, parameters: Mapping[str, Tensor]) -> _Network:
        network = residuals.network
        # buffers that are no state too, and the extra state of modules such as `Staged`
        state: dict[str, object] = {**dict(network.named_buffers()), **network.state_dict(keep_vars=True)}
        frozen = {
            key: value.detach().clone()
            for key, value in state.items()
            if isinstance(value, Tensor) and f"network.{key}" not in parameters
        }
        return _Network(network, residuals.engine, residuals.terms, tuple(parameters), frozen)

    def same(self, other: _Network) -> bool:
        return (
            self.module is other.module
            and self.engine is other.engine
            and self.terms is other.terms
            and self.trained == other.trained
            and _equal(self.frozen, other.frozen)
        )


def _equal(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(value, b[key]) for key, value in a.items())


def _theta(parameters: Mapping[str, Tensor]) -> Tensor:
    """The trained parameters of the network flattened, `(P,)`."""
    return torch.cat([p.reshape(-1) for key, p in parameters.items() if key.startswith("network.")])


def _is_affine(rows: ConstraintRows, parameters: Mapping[str, Tensor]) -> bool:
    """Whether the network's coefficients at some of the points are affine in its trained parameters."""
    few = rows.at(select(rows.points, subsample(size(rows.points), _POINTS)), rows.factors)
    generator = torch.Generator().manual_seed(0)
    own = {key: p.detach() for key, p in parameters.items() if key.startswith("network.")}
    zero = {key: torch.zeros_like(p) for key, p in own.items()}
    a, b = ({k: torch.randn(p.shape, generator=generator).to(p) for k, p in own.items()} for _ in range(2))
    # the points four times, each time with other parameters: one call of the network in place of four
    tried = {key: torch.stack((zero[key], a[key], b[key], a[key] + b[key])) for key in own}
    with torch.random.fork_rng(devices=[]):  # of a layer that is random
        calls = recorded(repeated(few, len(_SIGNS)), tried, copies=len(_SIGNS))
    if calls is None:
        return False
    for call in calls:
        c = call.jet.coefficients.detach()
        terms = torch.stack([sign * part for sign, part in zip(_SIGNS, c.chunk(len(_SIGNS), 1), strict=True)])
        allowed = _NOISE * torch.finfo(terms.dtype).eps * terms.abs().sum(0).amax(1, keepdim=True)
        if not bool((terms.sum(0).abs() <= allowed).all()):
            return False
    return True


def _calls(rows: ConstraintRows, parameters: Mapping[str, Tensor], memory: float) -> list[AffineCall] | None:
    """The calls of an affine network; None where their features would not fit into so many bytes."""
    zero = {key: torch.zeros_like(p) for key, p in parameters.items()}
    residuals = rows.residuals
    constraint = residuals.constraints[rows.name]
    like = next(iter(parameters.values()))
    nodes = size(constraint.flat(rows.points)) * (1 + len(constraint.places))
    # Φ, and the product with it that is kept where rows belong to points
    width = len(residuals.terms[rows.name].indices) * len(residuals.equation.outputs)
    numbers = nodes * (width + (residuals.height(rows.name) if constraint.local else 0))
    needed = numbers * like.element_size() * len(_theta(parameters))
    if needed > memory:
        logging.getLogger("pinnlab").debug(
            "pinnlab: the features of constraint %r would take %.1f GiB, more than the %.1f GiB left of the memory "
            "allowed: the network is evaluated at every step",
            rows.name, needed / 2**30, max(memory, 0) / 2**30,
        )  # fmt: skip
        return None
    calls = recorded(rows, zero)
    assert calls is not None
    return [AffineCall(call.jet.like(call.jet.coefficients.detach()), call.jacobian()) for call in calls]
