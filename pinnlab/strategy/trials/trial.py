"""One solve with given features: its points, its weights, its Gauss-Newton steps, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.equations.domain import users
from pinnlab.errors import DivergedError
from pinnlab.geometry import Points, size
from pinnlab.jets.jet import assemble
from pinnlab.networks import Affine, Build
from pinnlab.optimisers.linear.least_squares import Orthogonal
from pinnlab.optimisers.linear.operators import Matrix
from pinnlab.residuals import Residuals
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.residuals.jacobian.stored import StoredOutputs
from pinnlab.residuals.weighting import Weighting
from pinnlab.strategy.features import Features, Range, builder, built, random_features
from pinnlab.strategy.trials.points import collocation, fresh
from pinnlab.training.evaluation.error_estimates import measured
from pinnlab.training.objective import Objective
from pinnlab.training.phases import GaussNewton

Guess = Callable[[Points], Tensor]
"""Values of the outputs at points, `(N, outputs)`."""

# The weight of conditions beside the equation, once the rows of both have one size.
_CONDITION_WEIGHT = 100.0
# That of measurements: the solution satisfies the equation and misses them by their noise, not the other way round.
_MEASURED_WEIGHT = 1e-4
# The scale, the number of features and the number of points by which the size of rows is measured.
_REFERENCE, _FEW, _SOME = 4.0, 50, 100
_HELD_OUT = 1000
# The most Gauss-Newton steps.
_STEPS = 40
# Trials of a step with less and less damping, and the part of the least loss that any of them promises that is enough.
_DESCENTS, _SETTLED = 8, 1.1
# A loss that fell by this factor is near its end: Gauss-Newton converges quadratically.
_NEAR = 1e-8
# The part of a change of rows that is a rounding error.
_ROUNDING = 1e-8
# Fits to conditions that differ by less than this part tell the values there.
_ALIKE = 0.1
# A value on conditions that is a rounding error of a fit.
_NOTHING = 1e-9


@dataclass
class Trial:
    """A solve that was made.

    Attributes:
        features: Its features.
        build: How its network is made.
        residuals: The network with the equation that it was trained on.
        first: The loss where training began.
        loss: The loss where training ended.
        held_out: The loss on points that it has not seen.
        steps: Steps taken.
        points: The points of training.
    """

    features: Features
    build: Build
    residuals: Residuals
    first: float
    loss: float
    held_out: float
    steps: int
    points: dict[str, Points]

    @classmethod
    def untrained(cls, equation: Equation, features: Features, outputs: Range) -> Trial:
        """The network of a solve before its first step."""
        build = builder(equation, features, outputs)
        residuals = Residuals(built(equation, build, features.seed), equation, NTP())
        return cls(features, build, residuals, math.inf, math.inf, math.inf, 0, {})

    @classmethod
    def restored(cls, equation: Equation, features: Features, outputs: Range, state: Mapping[str, Tensor]) -> Trial:
        """A solve from the parameters that were kept of it; its losses were not."""
        trial = cls.untrained(equation, features, outputs)
        trial.residuals.load_state_dict(state)
        trial.points = collocation(trial.residuals, features)
        return trial

    @property
    def count(self) -> int:
        """The number of points."""
        return sum(size(batch) for batch in self.points.values())

    @property
    def network(self) -> nn.Module:
        """The network."""
        return self.residuals.network

    def values(self, points: Points) -> Tensor:
        """The outputs at points, `(N, outputs)`."""
        x = assemble({name: points[name] for name in self.residuals.equation.inputs})[0]
        with torch.no_grad():
            found: Tensor = self.residuals.function(x)
        return found

    def unknowns(self) -> dict[str, float]:
        """The values found for the unknowns."""
        return {name: float(u.value.detach()) for name, u in self.residuals.equation.unknowns().items()}


def solved(
    equation: Equation,
    features: Features,
    outputs: Range,
    *,
    steps: int = _STEPS,
    guess: Guess | None = None,
    reference: float = 0.0,
    before: Callable[[], None] = lambda: None,
) -> Trial:
    """Finds the coefficients of random features, and the unknowns of the equation, by Gauss-Newton.

    Args:
        equation: What to solve; its unknowns are changed.
        features: The features.
        outputs: The range of the outputs.
        steps: The most steps.
        guess: Where to start; at the centre of the outputs' range by default.
        reference: A loss that is far from the least one, where the guess is near it.
        before: Is called before each step; an error that it raises ends the solve.
    """
    trial = Trial.untrained(equation, features, outputs)
    residuals = trial.residuals
    trial.points = points = collocation(residuals, features)
    weighting = weights(residuals, points)
    if guess is not None:
        _fit(residuals, points, guess)
    trial.first, trial.loss, trial.steps = _gauss_newton(residuals, points, weighting, steps, reference, before)
    if math.isfinite(trial.loss):
        trial.held_out = _loss(residuals, fresh(residuals, features, _HELD_OUT, features.seed + 7919), weighting)
    return trial


def expected(equation: Equation) -> Range:
    """The range of the outputs as the conditions tell it: the mean and the largest value on them.

    Some features of long waves are fitted to the conditions alone, twice. Where both fits disagree, as where conditions
    say that two places are alike and not what is there, they tell nothing. An output of which no condition tells
    anything, or that is zero on all of them, is taken to be around 0 and of size 1.
    """
    fits = [_conditioned(equation, seed) for seed in (0, 1)]
    found: list[tuple[float, float]] = []
    for number, output in enumerate(equation.outputs):
        # elsewhere the fits may have any values of this output
        asked = [name for name in users(equation, output) if all(name in fit for fit in fits)]
        both = [(fits[0][name][:, number], fits[1][name][:, number]) for name in asked]
        told = [one for one, other in both if bool((one - other).abs().max() <= _ALIKE * one.abs().max())]
        values = torch.cat(told) if told else torch.zeros(1)
        known = bool(values.isfinite().all()) and float(values.abs().max()) > _NOTHING
        found.append((float(values.mean()), float(values.abs().max())) if known else (0.0, 1.0))
    centres, sizes = zip(*found, strict=True)
    return Range(centres, sizes)


def _conditioned(equation: Equation, seed: int) -> dict[str, Tensor]:
    """The outputs `(N, outputs)` on each condition and measurement, of a fit to these alone; empty where it failed."""
    few = Features(_FEW, (1.0,) * equation.dimension, seed)
    trial = Trial.untrained(equation, few, Range.unit(len(equation.outputs)))
    residuals, noisy = trial.residuals, measured(equation)
    places = collocation(residuals, replace(few, seed=0))
    points = {
        name: batch
        for name, batch in places.items()
        if residuals.constraints[name].region.dimension < equation.dimension or name in noisy
    }
    if not points or not math.isfinite(_gauss_newton(residuals, points, residuals.over(points), _STEPS)[1]):
        return {}
    return {name: trial.values(residuals.constraints[name].flat(batch)) for name, batch in points.items()}


def weights(residuals: Residuals, points: Mapping[str, Points]) -> Weighting:
    """The weighting that gives the rows of all constraints one size, those of conditions a hundred times its square.

    So an equation in SI units is no harder than one without units. The rows of measurements have a ten-thousandth of
    the square of that size, so that the unknowns are those of the exact solution that fits best. The size of a row is
    the norm of its derivatives in the coefficients of some features, at the centre of the outputs' range. The features
    are the same for all networks, so that losses of different networks can be compared.
    """
    equation = residuals.equation
    few = Features(_FEW, (_REFERENCE,) * equation.dimension)
    there = residuals.with_network(built(equation, builder(equation, few, Range.of(residuals.network)), few.seed))
    parameters = {name: p.detach() for name, p in there.named_parameters() if name.startswith("network.")}
    factors, noisy = {}, measured(equation)
    for name, batch in points.items():
        constraint = residuals.constraints[name]
        some = {key: column[:_SOME] for key, column in batch.items()} if constraint.local else batch
        rows = Linearisation(there, parameters, {name: some}, there.over({name: some}), held=True)
        norm = float(rows.jacobian().dense().square().sum())
        inside = constraint.region.dimension == equation.dimension
        wanted = _MEASURED_WEIGHT if name in noisy else 1.0 if inside else _CONDITION_WEIGHT
        factors[name] = wanted / norm if norm > 0 and math.isfinite(norm) else 1.0
    return residuals.over(points).times(factors)


def _fit(residuals: Residuals, points: Mapping[str, Points], guess: Guess) -> None:
    """Sets the last layer so that the network is near a guess at the points, by least squares."""
    equation, network = residuals.equation, residuals.network
    waves = random_features(network)
    every = [residuals.constraints[name].flat(batch) for name, batch in points.items()]
    together = {name: torch.cat([batch[name] for batch in every]) for name in equation.inputs}
    (affine,) = (module for module in network.modules() if isinstance(module, Affine))
    with torch.no_grad():
        seen: list[Tensor] = []
        handle = waves.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        network(assemble(together)[0])
        handle.remove()
        hidden = waves.hidden(seen[0])
        design = torch.cat((hidden, torch.ones_like(hidden[:, :1])), 1)
        target = (guess(together) - affine.centre) / affine.size
        factors = Orthogonal(Matrix(design)).damped(1e-24 * float(design.square().sum()))
        solution = torch.stack([factors.solve(-column) for column in target.unbind(1)])
        waves.last.weight.copy_(solution[:, :-1])
        waves.last.bias.copy_(solution[:, -1])


def _gauss_newton(
    residuals: Residuals,
    points: Mapping[str, Points],
    weighting: Weighting,
    steps: int,
    reference: float = 0.0,
    before: Callable[[], None] = lambda: None,
) -> tuple[float, float, int]:
    """Takes steps until they no longer pay; returns the first loss, the last one, and the number of steps."""
    # what does not fit into the memory is not tried
    phase = GaussNewton(steps, damping=1e-6, decrease=1e4, descents=_DESCENTS, memory=math.inf)
    optimizer = phase.optimizer([p for p in residuals.parameters() if p.requires_grad])
    stored, losses = StoredOutputs(), list[float]()
    for step in range(steps):
        before()
        objective = Objective(residuals, points, weighting=weighting, outputs=stored, where=f"step {step}")
        try:
            began = phase.step(optimizer, objective, step)
        except DivergedError:
            return math.inf, math.inf, step
        objective.settle()
        losses += [began] if step == 0 else []
        losses.append(optimizer.reached)
        settled = losses[-1] <= _SETTLED * optimizer.promised
        # a step from where a product of unknowns is zero is linear, whatever comes after it
        settled = settled and (step > 0 or reference > 0 or _affine(residuals, points, weighting))
        if settled or phase.exhausted(optimizer) or losses[-1] == 0 or _over(losses, max(reference, losses[0])):
            break
    return losses[0], losses[-1], len(losses) - 1


def _affine(residuals: Residuals, points: Mapping[str, Points], weighting: Weighting) -> bool:
    """Whether the rows are an affine function of all parameters: r(θ + δ) + r(θ − δ) = 2 r(θ) for a random δ."""
    some = {
        name: {key: column[:_SOME] for key, column in batch.items()} if residuals.constraints[name].local else batch
        for name, batch in points.items()
    }
    parameters = [p for p in residuals.parameters() if p.requires_grad]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        kept = [p.clone() for p in parameters]
        # as large as the parameters, which may be a million times the rows and cancel in them
        moves = [(1 + p.abs()) * torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
        rows = []
        for sign in (0.0, 1.0, -1.0):
            for p, value, move in zip(parameters, kept, moves, strict=True):
                p.copy_(value + sign * move)
            rows.append(torch.cat([block.flatten() for block in residuals(some, weighting).values()]))
        for p, value in zip(parameters, kept, strict=True):
            p.copy_(value)
    here, after, before = rows
    return bool((after + before - 2 * here).abs().max() <= _ROUNDING * (after - before).abs().max())


def _over(losses: Sequence[float], reference: float) -> bool:
    """Whether a further step hardly pays.

    Near the end a step lowers the loss to less than a tenth, and before it six steps to less than two thirds.
    """
    near = len(losses) > 1 and losses[-1] < _NEAR * reference
    return (near and losses[-1] > 0.1 * losses[-2]) or (len(losses) > 6 and losses[-1] > 0.7 * losses[-6])


def _loss(residuals: Residuals, points: Mapping[str, Points], weighting: Weighting) -> float:
    counts = {name: size(batch) for name, batch in points.items()}
    with torch.no_grad():
        return float(Residuals.loss(residuals(points, weighting.over(counts))))
