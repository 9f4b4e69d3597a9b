"""Step control: whether a window that is not exact enough gets shorter, or gets more features."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pinnlab.strategy.recipe import Outcome

# The order by which errors are taken to fall with a window's length, and the part of the allowed error aimed at.
_ORDER, _AIM = 6, 0.5
# The factors on the length of a window: the least and the largest after a failure, and the largest after a success.
_CUT, _TRIM, _LENGTHEN = 0.3, 0.8, 2.0
# A window that is longer by this factor than one that has worked is cut back to it first.
_LONGER = 1.05
# The change of a solution within a window, in units of its size, below which a shorter window resolves nothing better;
# and how many times too large an error is that is not mended by a slightly shorter window.
_CHANGE, _NEARLY = 0.3, 10.0
# More features help if the error falls by this factor.
_HELPED = 3.0
# An error of a hundredth of the solution says nothing of how fast errors fall.
_NONSENSE = 1e-2
# Shorter windows in a row that did not help, where there can be no more features.
_IN_VAIN = 3


class Change(Enum):
    """What to change about a window."""

    SHORTER = "shorter"
    MORE = "more features"
    NOTHING = "nothing helps"


@dataclass
class StepControl:
    """Decides from what the former changes did: what did not help is not done again.

    A shorter window helps if the error falls at least in proportion to the length, and more features if it falls to a
    third. Where nothing was tried yet, features are taken to be what lacks if the solution hardly changes within the
    window.

    Attributes:
        length: Of the window that comes next.
        resolves: Whether a window also has other inputs, so that features may be what lacks in however short a window.
        worked: The length of the last window that was exact enough; 0 before there is any.
    """

    length: float
    resolves: bool
    worked: float = 0.0
    _last: Change | None = None
    _before: tuple[float, float] = (0.0, 0.0)
    _vain: int = 0

    def succeeded(self, ratio: float) -> None:
        """Takes note of a window whose error is so many times the allowed one, at most 1."""
        self.worked = self.length
        self.length *= min(_LENGTHEN, self._factor(ratio))
        self._last, self._vain = None, 0

    def failed(self, outcome: Outcome, ratio: float, affordable: bool) -> Change:
        """Chooses, and sets the length that comes next.

        Args:
            outcome: What came of the window.
            ratio: Its error in units of the allowed one, more than 1.
            affordable: Whether there can be more features.
        """
        last, (length, error) = self._last, self._before
        shorter = last is Change.SHORTER
        helped = last is None or outcome.local <= (error * self.length / length if shorter else error / _HELPED)
        self._last = change = self._chosen(outcome, ratio, affordable, helped)
        if change is Change.MORE and shorter and not helped and outcome.local < _NONSENSE:
            # the length was not what lacked
            self.length = length
            return change
        self._before = (self.length, outcome.local)
        if change is Change.SHORTER:
            least = self.worked if self.length > _LONGER * self.worked else 0.0
            self.length = max(self.length * min(_TRIM, max(_CUT, self._factor(ratio))), least)
        return change

    @staticmethod
    def _factor(ratio: float) -> float:
        return float((_AIM / max(ratio, 1e-9)) ** (1 / _ORDER))

    def _chosen(self, outcome: Outcome, ratio: float, affordable: bool, helped: bool) -> Change:
        if not self.resolves:
            return Change.SHORTER
        if self._last is Change.SHORTER and not helped:
            self._vain += 1
            if affordable:
                return Change.MORE
            return Change.NOTHING if self._vain >= _IN_VAIN else Change.SHORTER
        if self._last is not Change.MORE or helped:
            self._vain = 0
            longer = self.length > _LONGER * self.worked > 0
            lacking = helped and (outcome.change < _CHANGE or self._last is Change.MORE)
            if lacking and affordable and not longer and ratio > _NEARLY:
                return Change.MORE
        return Change.SHORTER
