"""Values with their errors, as papers print them."""

from __future__ import annotations

import math


def plus_minus(value: float, error: float) -> str:
    """A value rounded to its error, and the error to one digit: `0.705 ± 0.007`, `0.500000000000000 ± 4e-15`.

    A value with an infinite or unknown error has three digits, and a value with an error of zero has all digits of a
    float.

    Example:
        >>> from pinnlab.reporting.plus_minus import plus_minus
        >>> plus_minus(0.70512, 0.0068)
        '0.705 ± 0.007'
    """
    if not math.isfinite(value):
        return f"{value} ± ?"
    if not math.isfinite(error):
        return f"{value:.3g} ± ?"
    if error <= 0:
        return f"{value!r} ± 0"
    error = float(f"{error:.0e}")
    last = math.floor(math.log10(error))
    margin = f"{error:.{max(0, -last)}f}" if -4 < last < 6 else f"{error:.0e}"
    first = math.floor(math.log10(abs(value))) if value else last
    if -5 < first < 9:
        return f"{round(value, -last) + 0.0:.{min(16, max(0, -last))}f} ± {margin}"
    return f"{value:.{min(16, max(0, first - last))}e} ± {margin}"
