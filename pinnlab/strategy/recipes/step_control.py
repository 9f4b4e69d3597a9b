"""Step control: whether a window that is not exact enough gets shorter, or gets more features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from pinnlab.strategy.recipe import Outcome

# The order by which errors are taken to fall with a window's length, and the part of the allowed error aimed at.
_ORDER, _AIM = 6, 0.5
# The factors on the length of a window: the least and the largest after a failure, and the largest after a success.
_CUT, _TRIM, _LENGTHEN = 0.3, 0.8, 2.0
# A window that is longer by this factor than one that has worked is cut back to it first.
_LONGER = 1.05
# The change of a solution within a window, in units of its size, below which a shorter window may resolve nothing
# better; and how many times too large an error is that only windows a third as long would mend, which cost as much as
# more features.
_CHANGE, _NEARLY = 0.3, 500.0
# A shorter window helps if the error falls by this power of the length, and more features if it falls by this factor.
_POWER, _HELPED = 3, 3.0
# An error of a hundredth of the solution says nothing of how fast errors fall.
_NONSENSE = 1e-2
# More features that help are followed by more of them as long as these are not dearer than this.
_DEAR = 2.1
# Changes in a row that did not help, after which nothing does.
_IN_VAIN = 6
# From so many features on, factors of a matrix are what costs most.
_CUBIC = 1000.0


class Change(Enum):
    """What to change about a window."""

    SHORTER = "shorter"
    MORE = "more features"
    BACK = "as many features as before, and shorter"
    NOTHING = "nothing helps"
    KEPT = "as many features as before"


@dataclass
class StepControl:
    """Decides from what the former changes did: what did not help is not done again.

    A shorter window helps if the error falls with the third power of the length. More features help if it falls to a
    third. Features that do not help are taken back. Where nothing was tried yet, features are taken to be what lacks if
    the error is far too large and the solution hardly changes within the window.

    Let more features be dearer by a factor q. If windows have become q times shorter than the longest one of as many
    features, then more features are tried in a window that is q times longer. They are kept if it is exact enough. So
    windows do not get shorter and shorter where other inputs are what lacks features.

    Attributes:
        length: Of the window that comes next.
        resolves: Whether a window also has other inputs, so that features may be what lacks in however short a window.
        worked: The length of the last window that was exact enough; 0 before there is any.
        tested: Whether more features are tested in a longer window.
    """

    length: float
    resolves: bool
    worked: float = 0.0
    tested: bool = False
    _last: Change | None = None
    _before: tuple[float, float] = (0.0, 0.0)
    _shortest: tuple[float, float] = (0.0, 0.0)
    _vain: int = 0
    _longest: float = 0.0

    def succeeded(self, ratio: float, dearer: float) -> Change:
        """Chooses what comes after a window that is exact enough, and sets its length.

        After a failure windows get no longer at once: what is in their way is still there.

        Args:
            ratio: The error in units of the allowed one, at most 1.
            dearer: How many times as much a window with more features costs; infinite if there can be none.
        """
        self._longest = self.length if self.tested else max(self._longest, self.length)
        self.worked, failed = self.length, self._last is not None
        self.length *= min(1.0 if failed else _LENGTHEN, self._factor(ratio))
        self._last, self._vain = None, 0
        self.tested = self.resolves and self.length < self._longest / dearer
        if self.tested:
            self.length *= dearer
            return Change.MORE
        return Change.KEPT

    def failed(self, outcome: Outcome, ratio: float, dearer: float) -> Change:
        """Chooses, and sets the length that comes next.

        Args:
            outcome: What came of the window.
            ratio: Its error in units of the allowed one, more than 1.
            dearer: How many times as much a window with more features costs; infinite if there can be none.
        """
        if self.tested:
            self.tested, self._longest = False, self.worked
            self.length = self.worked
            return Change.BACK
        length, error, helped = self.length, outcome.local, self._helped(outcome.local)
        self._vain = 0 if helped else self._vain + 1
        change = self._chosen(outcome, ratio, dearer, helped)
        if change is Change.BACK:
            self._before = self._shortest
            self.length = self._cut(self._shortest[0], ratio)
        elif change is Change.MORE:
            self._shortest = length, error
            nearly = self._before[1] < _NEARLY * error / ratio
            if not helped and nearly:
                # the length was not what lacked: features are tried with that before
                self.length = self._before[0]
            else:
                self._before = length, error
        elif change is Change.SHORTER:
            self._before = length, error
            self.length = self._cut(length, ratio)
        self._last = change
        return change

    def _cut(self, length: float, ratio: float) -> float:
        least = self.worked if length > _LONGER * self.worked else 0.0
        return max(length * min(_TRIM, max(_CUT, self._factor(ratio))), least)

    @staticmethod
    def _factor(ratio: float) -> float:
        return float((_AIM / max(ratio, 1e-9)) ** (1 / _ORDER))

    def _helped(self, error: float) -> bool:
        length, former = self._before
        match self._last:
            case None:
                return True
            case Change.MORE:
                return error <= former / _HELPED
        return error <= former * (self.length / length) ** _POWER

    def _chosen(self, outcome: Outcome, ratio: float, dearer: float, helped: bool) -> Change:
        if not self.resolves:
            return Change.SHORTER
        if not helped:
            if self._vain >= _IN_VAIN and outcome.local < _NONSENSE:
                return Change.NOTHING
            if self._last is Change.MORE:
                return Change.BACK
            return Change.MORE if dearer < math.inf else Change.SHORTER
        lacking = outcome.change < _CHANGE or (self._last is Change.MORE and dearer < _DEAR)
        longer = self.length > _LONGER * self.worked > 0
        return Change.MORE if lacking and dearer < math.inf and not longer and ratio > _NEARLY else Change.SHORTER


def dearer(count: int, factor: float) -> float:
    """How many times as much a solve costs with so many times the features.

    The cost is taken to be n + n³/1000²: evaluations first, and factors of the matrix later.

    Example:
        >>> round(dearer(100, 1.5), 2), round(dearer(10000, 1.5), 2)
        (1.52, 3.36)
    """
    more = factor * count
    return (more + more**3 / _CUBIC**2) / (count + count**3 / _CUBIC**2)
