"""What is tried for one window beside the number of its features: other coordinates, and other scales."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

from pinnlab.strategy.features import Features, Layered
from pinnlab.strategy.layers import resolved
from pinnlab.strategy.recipe import FEWER, Accept, Answer, Decision, Outcome, Progress, Proposal
from pinnlab.strategy.recipes.scales import FEW_INPUTS, adapted, sharpened, suited

# So many coefficients cost little beside those that come next.
CHEAP = 2000
# How often stretched coordinates are tried in vain for one window.
_TRIES = 2
# The factor on scales that are tried with all features, and the error above which a solution says nothing of them.
_STEP, _SENSE = 1.5, 1e-2
# Why other features are tried.
_FOR_LAYERS, _FOR_COUNT = "coordinates stretched for the layers", "scales that suit so many features"


@dataclass
class Attempts:
    """Tries features with other coordinates and scales, and remembers what it has tried.

    Attributes:
        progress: What the recipe sees.
        surveyed: The number of features in surveys.
        tries: How often stretched coordinates may still be tried in vain for the window.
        count: The number of features for which scales were looked for last.
        length: Of the window then.
        sharp: The largest number of features for which sharper ones were looked for.
    """

    progress: Progress
    surveyed: int
    tries: int = _TRIES
    count: int = 0
    length: float = math.inf
    sharp: int = 0

    def accepted(self) -> None:
        """Begins with the next window."""
        self.tries = _TRIES

    def best(
        self, features: Features, end: float | None, allowed: float, least: float = -math.inf
    ) -> Generator[Decision, Answer, tuple[Features, Outcome]]:
        """Features, coordinates that are stretched for the layers of what they find, and other scales, as that helps.

        Args:
            features: The features.
            end: The end of the window.
            allowed: The error at which there is no need for more.
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
                self.tries -= why == _FOR_LAYERS
                return best
            best = features, outcome
            if outcome.local <= allowed:
                return best
            if self.tries and why != _FOR_COUNT and not resolved(features, outcome.layers):
                features, why = (yield from self._stretched(features, outcome.layers, end)), _FOR_LAYERS
            elif self._worth(features, outcome, end):
                self.count, self.length = features.count, self._length(end)
                # the solution with fewer features has the larger error: the scales are to suit it
                few = yield from adapted(before := features.grown(FEWER), end, outcome.held_out_fewer, _STEP)
                factors = [new / old for new, old in zip(few.scales, before.scales, strict=True)]
                features, why = features.magnified(factors), _FOR_COUNT
                if features == best[0]:
                    return best
            else:
                return best

    def sharper(self, features: Features, end: float | None, outcome: Outcome) -> Generator[Decision, Answer, Features]:
        """The features with larger scales, if errors fall slowly with their number, and these help; once for a number.

        Args:
            features: The features.
            end: The end of the window.
            outcome: What came of them.
        """
        if outcome.local > _SENSE or features.count <= self.sharp:
            return features
        self.sharp = features.count
        return (yield from sharpened(features, end, outcome.held_out))

    def _worth(self, features: Features, outcome: Outcome, end: float | None) -> bool:
        """Whether other scales are looked for with as many features: twice as many, or half a window since the last."""
        outputs, dimension = len(self.progress.equation.outputs), self.progress.equation.dimension
        others = features.count >= 2 * self.count or self._length(end) <= self.length / 2
        return 1 < dimension <= FEW_INPUTS and features.count * outputs < CHEAP and others and outcome.local < _SENSE

    def _stretched(
        self, features: Features, layers: Layered, end: float | None
    ) -> Generator[Decision, Answer, Features]:
        """As many features for other layers; in windows their number limits their scales, and not the layers."""
        progress = self.progress
        along = zip(features.layers or ((),) * len(layers), layers, strict=True)
        if progress.equation.dimension == 1 or all(bool(before) >= bool(after) for before, after in along):
            return features.stretched(layers) if progress.evolution is None else replace(features, layers=layers)
        few = yield from suited(progress, self.surveyed, end, layers)
        return few.grown(features.count / few.count)

    def _length(self, end: float | None) -> float:
        """The length of a window; 1 without time."""
        return 1.0 if end is None or self.progress.time is None else end - self.progress.time
