"""The default recipe: windows as long as the tolerance allows, and features until two solutions agree."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

from pinnlab.equations.inputs import axis_names
from pinnlab.strategy.features import Features, Layered
from pinnlab.strategy.layers import resolved
from pinnlab.strategy.recipe import (
    FEWER,
    Accept,
    Answer,
    Decision,
    Decisions,
    Outcome,
    Progress,
    Proposal,
    Recheck,
    Recipe,
    Restart,
    Stop,
)
from pinnlab.strategy.recipes.scales import FEW_INPUTS, adapted, suited
from pinnlab.strategy.recipes.step_control import Change, StepControl, dearer

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
# An error by noise that is this part of the whole one and of the last one is not lowered by more features.
_SETTLED = 0.7
# So many coefficients cost little beside those that come next.
_CHEAP = 2000
# Twice the features lower the error of a smooth output by more than this factor, and that beside a logarithm by less.
_FALLS = 4.0
# How often stretched coordinates are tried in vain for one window.
_TRIES = 2
# The factor on scales that are tried with all features, and the error above which a solution says nothing of them.
_STEP, _SENSE = 1.5, 1e-2
# Why other features are tried.
_FOR_LAYERS, _FOR_COUNT = "coordinates stretched for the layers", "scales that suit so many features"


@dataclass
class _Efforts:
    """What was tried.

    Attributes:
        tries: How often stretched coordinates may still be tried in vain for the window.
        count: The number of features for which scales were looked for last.
        length: Of the window then.
    """

    tries: int = _TRIES
    count: int = 0
    length: float = math.inf


@dataclass
class Refinement(Recipe):
    """Random features of the inputs, refined until the estimate meets the tolerance.

    An equation of one input has features whose wave numbers grow with their number. For others the scale of each input
    is found by surveys with few features, and later with as many as are used: the held-out loss orders scales rightly.
    Where a solution has layers, the same features are tried in coordinates that are stretched there. Without time the
    number of features is raised; with time windows get shorter or get more features, as `StepControl` decides.

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
        least, noise, efforts, fewer = math.inf, math.inf, _Efforts(), None
        while True:
            features, outcome = yield from self._tried(progress, features, None, progress.tol, efforts, least)
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
            The end; or the features and the length of the first window to begin again with, where errors have grown.
        """
        evolution = progress.evolution
        assert evolution is not None
        dimension, axis = progress.equation.dimension, axis_names(progress.equation.inputs).index(evolution.along)
        whole, control = evolution.end - evolution.start, StepControl(length, dimension > 1)
        begun = fewer = features, length
        error, rechecked, efforts, bar = 0.0, 0, _Efforts(), allowed
        while (now := progress.time or 0.0) < evolution.end:
            left = evolution.end - now
            if control.length > 0.95 * left:
                control.length = left
            before, end = control.length, evolution.end if control.length == left else now + control.length
            features, outcome = yield from self._tried(progress, features, end, bar, efforts)
            ratio, affords = outcome.local / bar, self._affords(progress, features, _MORE, outcome.most)
            costs = dearer(features.count, _MORE) if affords else math.inf
            if ratio <= 1:
                yield Accept()
                efforts.tries, bar = _TRIES, allowed
                if any(features.layers) and any(outcome.onward):
                    features = replace(features, layers=outcome.onward)
                if now == evolution.start:
                    begun = features, before
                if (error := outcome.error) > progress.tol:
                    if before < _FASTER * whole and outcome.change > _CHANGE:
                        return Stop(False, f"a solution that changes ever faster near {evolution.along} = {end:.6g}")
                    if (error := (yield from self._rechecked(progress, rechecked))) > progress.tol:
                        return begun
                    rechecked = progress.windows
                change = control.succeeded(ratio, costs)
            else:
                change = control.failed(outcome, ratio, costs)
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
                few = yield from suited(progress, self.surveyed, now + control.length, features.layers)
                features = few.grown(features.count / few.count)
            elif dimension > 1:
                # waves keep their length when the window changes its own
                longer = control.length / before
                features = features.magnified([longer if i == axis else 1.0 for i in range(dimension)])
        return Stop(True) if error <= progress.tol else begun

    def _rechecked(self, progress: Progress, first: int) -> Generator[Decision, Answer, float]:
        """The error once the solutions with fewer features have more of them, in the windows from a first one on."""
        error = 0.0
        for window in range(first, progress.windows):
            answer = yield Recheck(window)
            assert isinstance(answer, tuple)
            if (error := max(error, *answer)) > progress.tol:
                break
        return error

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
        return (yield from suited(progress, self.surveyed, end)).grown(self.first / self.surveyed)

    def _tried(
        self,
        progress: Progress,
        features: Features,
        end: float | None,
        allowed: float,
        efforts: _Efforts,
        least: float = -math.inf,
    ) -> Generator[Decision, Answer, tuple[Features, Outcome]]:
        """Features, coordinates that are stretched for the layers of what they find, and other scales, as that helps.

        Args:
            progress: What the recipe sees.
            features: The features.
            end: The end of the window.
            allowed: The error at which there is no need for more.
            efforts: What was tried before.
            least: What has an error of at most this is accepted.

        Returns:
            The best features, and what came of them.
        """
        best, why = None, ""
        while True:
            outcome = yield Proposal(features, end, why, allowed)
            assert isinstance(outcome, Outcome)
            if outcome.error <= least:
                least = outcome.error
                yield Accept()
            if best is not None and outcome.local >= best[1].local:
                efforts.tries -= why == _FOR_LAYERS
                return best
            best = features, outcome
            if outcome.local <= allowed:
                return best
            if efforts.tries and why != _FOR_COUNT and not resolved(features, outcome.layers):
                features, why = (yield from self._stretched(progress, features, outcome.layers, end)), _FOR_LAYERS
            elif self._worth(progress, features, outcome, efforts, end):
                efforts.count, efforts.length = features.count, _length(progress, end)
                # the solution with fewer features has the larger error: the scales are to suit it
                few = yield from adapted(before := features.grown(FEWER), end, outcome.held_out_fewer, _STEP)
                factors = [new / old for new, old in zip(few.scales, before.scales, strict=True)]
                features, why = features.magnified(factors), _FOR_COUNT
                if features == best[0]:
                    return best
            else:
                return best

    def _worth(
        self, progress: Progress, features: Features, outcome: Outcome, efforts: _Efforts, end: float | None
    ) -> bool:
        """Whether other scales are looked for with as many features: twice as many, or half a window since the last."""
        cheap = features.count * len(progress.equation.outputs) < _CHEAP
        others = features.count >= 2 * efforts.count or _length(progress, end) <= efforts.length / 2
        return 1 < progress.equation.dimension <= FEW_INPUTS and cheap and others and outcome.local < _SENSE

    def _stretched(
        self, progress: Progress, features: Features, layers: Layered, end: float | None
    ) -> Generator[Decision, Answer, Features]:
        """As many features for other layers; in windows their number limits their scales, and not the layers."""
        along = zip(features.layers or ((),) * len(layers), layers, strict=True)
        if progress.equation.dimension == 1 or all(bool(before) >= bool(after) for before, after in along):
            return features.stretched(layers) if progress.evolution is None else replace(features, layers=layers)
        few = yield from suited(progress, self.surveyed, end, layers)
        return few.grown(features.count / few.count)


def _length(progress: Progress, end: float | None) -> float:
    """The length of a window; 1 without time."""
    return 1.0 if end is None or progress.time is None else end - progress.time


def _unresolved(features: Features, outcome: Outcome) -> str:
    return f"{features.count} features do not resolve the solution at {outcome.place}"


def _infinite(progress: Progress, outcome: Outcome, fewer: Outcome) -> tuple[str, ...]:
    """The outputs that no boundary bounds and whose errors fall slowly, if all others are exact enough."""
    slow = [
        name for name in progress.unbounded if outcome.errors[name] > max(progress.tol, fewer.errors[name] / _FALLS)
    ]
    others = {name: error for name, error in outcome.errors.items() if name not in slow}
    return tuple(slow) if progress.largest(others) <= progress.tol else ()
