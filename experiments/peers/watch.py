"""An error along a training, against the seconds that the training itself has taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

_FIRST, _GROWTH = 0.5, 1.15


class Mark(NamedTuple):
    """The errors at one moment.

    Attributes:
        seconds: Of training until then.
        l2: The largest relative L2 error of an output.
        error: The largest error of an output over its largest value.
        unknown: The largest relative error of an unknown; NaN where there is none.
    """

    seconds: float
    l2: float
    error: float
    unknown: float


@dataclass
class Watch:
    """A clock that stands still while errors are computed: marks come at seconds that grow by a seventh.

    Attributes:
        errors: Computes the relative L2 error, the largest error and that of unknowns.
        cap: Seconds after which a training is to end.
        clock: Tells the time in seconds.
        marks: What was found.
    """

    errors: Callable[[], tuple[float, float, float]]
    cap: float
    clock: Callable[[], float] = time.perf_counter
    marks: list[Mark] = field(default_factory=list)
    _passed: float = 0.0
    _since: float = 0.0
    _next: float = _FIRST

    @property
    def seconds(self) -> float:
        """The seconds of training at the last look."""
        return self._passed

    @property
    def over(self) -> bool:
        """Whether the training has had its time."""
        return self._passed >= self.cap

    def begins(self) -> None:
        """Lets the clock run."""
        self._since = self.clock()

    def looks(self) -> bool:
        """Takes the time, marks the errors where that is due, and says whether the training is to end."""
        now = self.clock()
        self._passed += now - self._since
        if self._passed >= self._next:
            self.mark()
            self._next = max(_GROWTH * self._passed, self._passed + _FIRST)
        self._since = self.clock()
        return self.over

    def mark(self) -> None:
        """Marks the errors here."""
        self.marks.append(Mark(self._passed, *self.errors()))
