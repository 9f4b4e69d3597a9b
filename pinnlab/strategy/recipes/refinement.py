"""The default recipe: windows as long as the tolerance allows, and features until two solutions agree."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

from pinnlab.equations.inputs import axis_names
from pinnlab.strategy.features import Features
from pinnlab.strategy.recipe import (
    Accept,
    Answer,
    Decision,
    Decisions,
    Outcome,
    Progress,
    Recheck,
    Recipe,
    Restart,
    Stop,
)
from pinnlab.strategy.recipes.attempts import CHEAP, Attempts
from pinnlab.strategy.recipes.scales import suited
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
# Twice the features lower the error of a smooth output by more than this factor, and that beside a logarithm by less.
_FALLS = 4.0


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
        least, noise, attempts, fewer = math.inf, math.inf, Attempts(progress, self.surveyed), None
        while True:
            features, outcome = yield from attempts.best(features, None, progress.tol, least)
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
            cheap = features.count * len(progress.equation.outputs) < CHEAP
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
        error, rechecked, attempts, bar = 0.0, 0, Attempts(progress, self.surveyed), allowed
        while (now := progress.time or 0.0) < evolution.end:
            left = evolution.end - now
            if control.length > 0.95 * left:
                control.length = left
            before, end = control.length, evolution.end if control.length == left else now + control.length
            features, outcome = yield from attempts.best(features, end, bar)
            ratio, affords = outcome.local / bar, self._affords(progress, features, _MORE, outcome.most)
            tested = control.tested
            costs = dearer(features.count, _MORE) if affords else math.inf
            if ratio <= 1:
                yield Accept()
                bar = allowed
                attempts.accepted()
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
            if change in (Change.BACK, Change.NOTHING) and not tested:
                sharper = yield from attempts.sharper(features, end, outcome)
                if sharper != features:
                    features, control.length = sharper, before
                    continue
            if change is Change.NOTHING:
                if outcome.local > (bar := _LENIENT * progress.tol):
                    if not affords:
                        return Stop(False, _unresolved(features, outcome))
                    features = features.grown(_MORE, kept=axis)
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


def _unresolved(features: Features, outcome: Outcome) -> str:
    return f"{features.count} features do not resolve the solution at {outcome.place}"


def _infinite(progress: Progress, outcome: Outcome, fewer: Outcome) -> tuple[str, ...]:
    """The outputs that no boundary bounds and whose errors fall slowly, if all others are exact enough."""
    slow = [
        name for name in progress.unbounded if outcome.errors[name] > max(progress.tol, fewer.errors[name] / _FALLS)
    ]
    others = {name: error for name, error in outcome.errors.items() if name not in slow}
    return tuple(slow) if progress.largest(others) <= progress.tol else ()
