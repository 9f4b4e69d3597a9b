"""An equation solved here and now, and compared with its true solution."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pinnlab.commands.doctor.finding import Finding, State

_TOL = 1e-8
_SLOW = 3.0
"""Seconds; a processor that does nothing else takes a tenth of it."""


def self_check() -> Iterator[Finding]:
    """Solves the harmonic oscillator to 1e-8 of its size, and holds the solution against the true one."""
    import pinnlab
    from pinnlab.problems import HarmonicOscillator

    began = time.perf_counter()
    solution = pinnlab.solve(HarmonicOscillator(), tol=_TOL)
    seconds = time.perf_counter() - began
    error, estimate = solution.metrics["max_error"], solution.metrics["uncertainty_u"]
    shown = f"harmonic oscillator to {_TOL:.0e}: error {error:.0e}, estimated {estimate:.0e}, {seconds:.1f} s"
    # its solution is a cosine, of size 1
    if not (error <= _TOL and solution.ending is not None and solution.ending.reached):
        advice = "numbers are wrong here: report it with the output of python -m pinnlab doctor --json"
        yield Finding("self check", "solve", shown, State.FAIL, advice)
    elif seconds > _SLOW:
        advice = "threads may wait for each other or for other programs: export OMP_NUM_THREADS=1"
        yield Finding("self check", "solve", shown, State.WARN, advice)
    else:
        yield Finding("self check", "solve", shown)
