"""A line search for the strong Wolfe conditions that knows no absolute tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Trial:
    """A point of the line θ + t d.

    Attributes:
        t: Where it is on the line.
        value: The function f there; infinite where it cannot be evaluated.
        slope: Its derivative along the line, g·d.
        gradient: Its gradient g, `(P,)`.
    """

    t: float
    value: float
    slope: float
    gradient: Tensor


def strong_wolfe(
    evaluate: Callable[[float], Trial],
    start: Trial,
    first: float = 1.0,
    decrease: float = 1e-4,
    curvature: float = 0.9,
    most: int = 25,
    longest: float = math.inf,
) -> Trial:
    """A point where f fell enough and its slope became flat enough.

    The conditions are f(t) <= f(0) + c₁ t f'(0) and |f'(t)| <= c₂ |f'(0)|, found by bracketing and then narrowing
    the bracket with cubic interpolation (Nocedal & Wright 2006, algorithms 3.5 and 3.6). All comparisons are
    between values of f or between slopes, so that f and any multiple of it take the same steps.

    Args:
        evaluate: The point at a t.
        start: The point t = 0; its slope is negative.
        first: The first t to try.
        decrease: c₁.
        curvature: c₂, above c₁; near 0 the search is nearly exact.
        most: The most evaluations.
        longest: The largest t, where the line meets a bound.

    Returns:
        Such a point, or the point at the longest t if f still falls there. Otherwise the best point that satisfies
        the first condition, or the start itself if no point does.

    Example:
        >>> import torch
        >>> def parabola(t):  # f(t) = (t − 3)²
        ...     return Trial(t, (t - 3) ** 2, 2 * (t - 3), torch.tensor([2 * (t - 3)]))
        >>> strong_wolfe(parabola, parabola(0.0), curvature=0.1).t
        3.0
    """

    def fell(trial: Trial) -> bool:
        return trial.value <= start.value + decrease * trial.t * start.slope

    low, high, t = start, None, min(first, longest)
    for _ in range(most):
        here = evaluate(t)
        if not fell(here) or here.value >= low.value:
            high = here
        elif abs(here.slope) <= -curvature * start.slope:
            return here
        elif high is None and here.slope < 0:
            if here.t >= longest:
                return here
            # still downhill: go on, by a tenth to nine times the last stride
            stride = here.t - low.t
            t = _between(_minimum(low, here), here.t + 0.1 * stride, here.t + 9 * stride, otherwise=here.t + 9 * stride)
            low, t = here, min(t, longest)
            continue
        else:
            if high is None or here.slope * (high.t - low.t) >= 0:
                high = low
            low = here
        left, width = min(low.t, high.t), abs(high.t - low.t)
        t = _between(_minimum(low, high), left + 0.1 * width, left + 0.9 * width, otherwise=left + 0.5 * width)
        if t in (low.t, high.t):
            break  # the bracket is as narrow as numbers can be
    return low


def _minimum(a: Trial, b: Trial) -> float:
    """Where the cubic with the values and slopes of two points is least; NaN if it has no minimum."""
    if not (math.isfinite(a.value) and math.isfinite(b.value)):
        return math.nan
    mean = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = mean * mean - a.slope * b.slope
    if not square >= 0:
        return math.nan
    root = math.copysign(math.sqrt(square), b.t - a.t)
    below = b.slope - a.slope + 2 * root
    return b.t - (b.t - a.t) * (b.slope + root - mean) / below if below else math.nan


def _between(t: float, least: float, most: float, otherwise: float) -> float:
    return otherwise if math.isnan(t) else min(max(t, least), most)
