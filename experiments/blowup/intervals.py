"""One interval for an unknown number from several solves that share nothing but the equation.

Each solve has a value and an estimate of its error: the ± of the package, from two solutions with other features and
points, or from the residual on held-out points. An estimate does not see an error that is common to both of its
solutions, as that of a cut-off half-line, an order of a series at infinity, a map, or a seed. So the number is found
again with other ones, and the interval

    v ± max(e, max_i |v_i − v|, 8 u |v|)

has the value v and the estimate e of the solve whose estimate is the smallest, the distance of the value that is
farthest from it, and a rounding error with u = 2⁻⁵³. The largest distance is the error of the worst solve rather than
of the best: the interval is rather too wide. It is no proof.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A value ± a half-width.

    Example:
        >>> Interval(0.5, 0.01).meets(0.505, 0.6), Interval(0.5, 0.001).meets(0.505, 0.6)
        (True, False)
    """

    value: float
    half: float

    def meets(self, low: float, high: float) -> bool:
        """Whether a number lies in this interval and between two others."""
        return self.value - self.half <= high and low <= self.value + self.half


def interval(values: Sequence[float], estimates: Sequence[float]) -> Interval:
    """The interval of several solves.

    Args:
        values: What each found; two or more.
        estimates: The estimated error of each.

    Raises:
        ValueError: if there are not two solves or more with an estimate each, or one is not finite.

    Example:
        >>> interval([0.5, 0.5003, 0.4998], [1e-4, 1e-3, 1e-3])
        Interval(value=0.5, half=0.000300...)
    """
    if len(values) < 2 or len(values) != len(estimates):
        raise ValueError(f"two solves or more, each with an estimate: got {len(values)} and {len(estimates)}")
    if not all(map(math.isfinite, (*values, *estimates))):
        raise ValueError(f"a value or an estimate is not finite: {list(values)} ± {list(estimates)}")
    best = min(range(len(values)), key=lambda i: estimates[i])
    value = values[best]
    spread = max(abs(other - value) for other in values)
    return Interval(value, max(estimates[best], spread, 4 * sys.float_info.epsilon * abs(value)))
