"""The default recipe: windows as long as the tolerance allows, and features until two solutions agree."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

from pinnlab.equations.inputs import axis_names
from pinnlab.strategy.features import Features, Layered
from pinnlab.strategy.layers import resolved
from pinnlab.strategy.recipe import (
    Accept,
    Answer,
    Decision,
    Decisions,
    Outcome,
    Progress,
    Proposal,
    Recipe,
    Restart,
    Stop,
    Survey,
)
from pinnlab.strategy.recipes.step_control import Change, StepControl

# Below this the differences between solutions are rounding errors.
_ROUNDING = 1e-13
# An error of a tenth of the solution says that the scales may be wrong.
_NONSENSE = 0.1
# The shortest window, as a part of the whole time.
_SHORTEST = 1e-10
# A window that is shorter than this part of the whole time, and in which the solution changes by this part of its size,
# is near a singularity.
_FASTER, _CHANGE = 1e-3, 0.3
# The part of the tolerance that a window may add where nothing makes it more exact, as where it begins in a corner.
_LENIENT = 0.5
# Factor on the number of features, and features of a function of one input.
_MORE, _LINE = 1.5, Features(40, (14.0,))
# Scales that are tried first, and the least and the largest one; rounds over the inputs, where these are few.
_SCALES, _LEAST, _LARGEST = (1.0, 2.0, 4.0, 8.0, 16.0), 0.05, 500.0
_ROUNDS, _FEW_INPUTS = 3, 4
# An error by noise that is this part of the whole one and of the last one is not lowered by more features.
_SETTLED = 0.7
# So many coefficients cost little beside those that come next.
_CHEAP = 2000
# Twice the features lower the error of a smooth output by more than this factor, and that beside a logarithm by less.
_FALLS = 4.0
# How often stretched coordinates are tried in vain for one window.
_TRIES = 2
# A lower loss by this factor is no accident.
_BETTER = 0.5


@dataclass
class Refinement(Recipe):
    """Random features of the inputs, refined until the estimate meets the tolerance.

    An equation of one input has features whose wave numbers grow with their number. For others the scale of each input
    is found by surveys with few features: the held-out loss orders scales rightly. Where a solution has layers,
    the same features are tried in coordinates that are stretched there. Without time the number of features is raised.
    With time windows get shorter or get more features, as `StepControl` decides.

    Args:
        safety: The part of the tolerance that one window may add.
        surveyed: The number of features in surveys.
        first: The number of features that is tried first.
        most: The largest number of coefficients: features times outputs.

    Example:
        >>> import pinnlab
        >>> from pinnlab.problems import Poisson
        >>> solution = pinnlab.solve(Poisson(), tol=1e-6, recipe=Refinement(surveyed=60, first=120))
        >>> solution.ending.reached
        True
    """

    safety: float = 0.1
    surveyed: int = 200
    first: int = 400
    most: int = 6400

    def decisions(self, progress: Progress) -> Decisions:
        """See `Recipe.decisions`."""
        if progress.evolution is None:
            return (yield from self._whole(progress))
        features = yield from self._begun(progress, progress.evolution.end)
        length, tighter = progress.evolution.end - progress.evolution.start, 1.0
        while True:
            allowed = max(_ROUNDING, self.safety * progress.tol * tighter)
            found = yield from self._windows(progress, features, length, allowed)
            if isinstance(found, Stop):
                return found
            if allowed <= _ROUNDING:
                along, now = progress.evolution.along, progress.time
                return Stop(False, f"errors as small as rounding grow beyond the tolerance near {along} = {now:.6g}")
            features, length = found
            tighter *= 0.1
            yield Restart("the errors of windows grow in later ones")

    def _whole(self, progress: Progress) -> Decisions:
        """One piece, with more and more features."""
        features = yield from self._begun(progress, None)
        least, noise, tries, fewer = math.inf, math.inf, _TRIES, None
        while True:
            features, outcome, tries = yield from self._tried(progress, features, None, progress.tol, tries, least)
            least = min(least, outcome.error)
            if outcome.error <= progress.tol:
                return Stop(True)
            if fewer is not None and outcome.error <= least and (without := _infinite(progress, outcome, fewer)):
                return Stop(True, without=without)
            fewer = outcome
            if outcome.noise > _SETTLED * max(outcome.error, noise):
                return Stop(False, "noise in the measurements")
            noise = outcome.noise
            if outcome.error < _ROUNDING:
                return Stop(False, "rounding errors")
            cheap = features.count * len(progress.equation.outputs) < _CHEAP
            if not self._affords(progress, features, factor := 2.0 if cheap else _MORE):
                return Stop(False, _unresolved(features, outcome))
            features = features.grown(factor)

    def _windows(
        self, progress: Progress, features: Features, length: float, allowed: float
    ) -> Generator[Decision, Answer, Stop | tuple[Features, float]]:
        """Windows up to the end, each with a local error that is allowed.

        Returns:
            The end; or the features and the length of the first window with which to begin again, because the errors
            of all windows are together larger than the tolerance.
        """
        evolution = progress.evolution
        assert evolution is not None
        dimension, axis = progress.equation.dimension, axis_names(progress.equation.inputs).index(evolution.along)
        whole, control = evolution.end - evolution.start, StepControl(length, dimension > 1)
        begun = fewer = features, length
        error, tries, bar = 0.0, _TRIES, allowed
        while (now := progress.time or 0.0) < evolution.end:
            left = evolution.end - now
            if control.length > 0.95 * left:
                control.length = left
            before, end = control.length, evolution.end if control.length == left else now + control.length
            features, outcome, tries = yield from self._tried(progress, features, end, bar, tries)
            ratio, affordable = outcome.local / bar, self._affords(progress, features, _MORE, outcome.most)
            if ratio <= 1:
                yield Accept()
                tries, bar = _TRIES, allowed
                if any(features.layers) and any(outcome.onward):
                    features = features.stretched(outcome.onward)
                if now == evolution.start:
                    begun = features, before
                if (error := outcome.error) > progress.tol:
                    if before < _FASTER * whole and outcome.change > _CHANGE:
                        return Stop(False, f"a solution that changes ever faster near {evolution.along} = {end:.6g}")
                    return begun
                change = control.succeeded(ratio, affordable)
            else:
                change = control.failed(outcome, ratio, affordable)
            if change is Change.NOTHING:
                if outcome.local > (bar := _LENIENT * progress.tol):
                    return Stop(False, _unresolved(features, outcome))
            elif change is Change.MORE:
                fewer, features = (features, before), features.grown(_MORE, kept=axis)
            elif change is Change.BACK:
                features, before = fewer
            if control.length < _SHORTEST * whole:
                return Stop(False, f"windows shorter than any step of the solution near {evolution.along} = {now:.6g}")
            if dimension > 1 and ratio > 1 and outcome.local > _NONSENSE and control.length < end - now:
                few = yield from self._suited(progress, now + control.length, features.layers)
                features = few.grown(features.count / few.count)
            elif dimension > 1:
                # waves keep their length when the window changes its own
                longer = control.length / before
                features = features.magnified([longer if i == axis else 1.0 for i in range(dimension)])
        return Stop(True) if error <= progress.tol else begun

    def _affords(self, progress: Progress, features: Features, factor: float, most: float = math.inf) -> bool:
        """Whether there may be so many times the features, of which the memory allows so many."""
        count = features.count * factor
        return count <= most and count * len(progress.equation.outputs) <= self.most

    def _begun(self, progress: Progress, end: float | None) -> Generator[Decision, Answer, Features]:
        """The features that are tried first: those of the solution that the solve begins at, if it has accepted one."""
        if progress.features is not None:
            return progress.features
        if progress.equation.dimension == 1:
            return _LINE
        return (yield from self._suited(progress, end)).grown(self.first / self.surveyed)

    def _tried(
        self,
        progress: Progress,
        features: Features,
        end: float | None,
        allowed: float,
        tries: int,
        least: float = -math.inf,
    ) -> Generator[Decision, Answer, tuple[Features, Outcome, int]]:
        """Features, and coordinates that are stretched for the layers of what they find, as long as that helps.

        Args:
            progress: What the recipe sees.
            features: The features.
            end: The end of the window.
            allowed: The error at which there is no need for more.
            tries: How often stretched coordinates may still be tried in vain.
            least: What has an error of at most this is accepted.

        Returns:
            The best features, what came of them, and how many tries are left.
        """
        best, former = None, features
        while True:
            why = "" if best is None else "coordinates stretched for the layers"
            outcome = yield Proposal(features, end, why, allowed)
            assert isinstance(outcome, Outcome)
            if outcome.error <= least:
                least = outcome.error
                yield Accept()
            if best is not None and outcome.local >= best.local:
                return former, best, tries - 1
            if outcome.local <= allowed or tries == 0 or resolved(features, outcome.layers):
                return features, outcome, tries
            former, best = features, outcome
            features = yield from self._stretched(progress, features, outcome.layers, end)

    def _stretched(
        self, progress: Progress, features: Features, layers: Layered, end: float | None
    ) -> Generator[Decision, Answer, Features]:
        """As many features in coordinates that are stretched for other layers."""
        along = zip(features.layers or ((),) * len(layers), layers, strict=True)
        if progress.equation.dimension == 1 or all(bool(before) >= bool(after) for before, after in along):
            return features.stretched(layers)
        few = yield from self._suited(progress, end, layers)
        return few.grown(features.count / few.count)

    def _suited(
        self, progress: Progress, end: float | None, layers: Layered = ()
    ) -> Generator[Decision, Answer, Features]:
        """Features whose scales suit the solution."""
        dimension = progress.equation.dimension
        start = Features(self.surveyed, (1.0,) * dimension, periodic=progress.periodic, layers=layers)
        scales, losses = list(_SCALES), list[float]()
        while True:
            candidates = tuple(start.magnified((scale,) * dimension) for scale in scales[len(losses) :])
            answer = yield Survey(candidates, end, "the scale of the features")
            assert isinstance(answer, tuple)
            losses += answer
            best = min(range(len(scales)), key=losses.__getitem__)
            if scales[best] == min(scales) and scales[best] > _LEAST:
                scales.append(scales[best] / 2)
            elif scales[best] == max(scales) and scales[best] < _LARGEST:
                scales.append(scales[best] * 2)
            else:
                return (yield from self._adapted(start.magnified((scales[best],) * dimension), end, losses[best]))

    def _adapted(self, features: Features, end: float | None, loss: float) -> Generator[Decision, Answer, Features]:
        """The features with the scale of each input halved or doubled as long as that helps."""
        dimension = len(features.scales)
        if dimension > _FEW_INPUTS:
            return features
        for _ in range(_ROUNDS):
            improved = False
            for axis in range(dimension):
                steps = [tuple(f if i == axis else 1.0 for i in range(dimension)) for f in (0.5, 2.0)]
                candidates = tuple(features.magnified(step) for step in steps)
                losses = yield Survey(candidates, end, f"the scale along input {axis + 1}")
                assert isinstance(losses, tuple)
                best = min(range(2), key=losses.__getitem__)
                if losses[best] < _BETTER * loss:
                    features, loss, improved = candidates[best], losses[best], True
            if not improved:
                break
        return features


def _unresolved(features: Features, outcome: Outcome) -> str:
    return f"{features.count} features do not resolve the solution at {outcome.place}"


def _infinite(progress: Progress, outcome: Outcome, fewer: Outcome) -> tuple[str, ...]:
    """The outputs that no boundary bounds and whose errors fall slowly, if all others are exact enough."""
    slow = [
        name for name in progress.unbounded if outcome.errors[name] > max(progress.tol, fewer.errors[name] / _FALLS)
    ]
    others = {name: error for name, error in outcome.errors.items() if name not in slow}
    return tuple(slow) if progress.largest(others) <= progress.tol else ()
