"""How a solve to a tolerance ended."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Ending:
    """How a solve to a tolerance ended.

    Attributes:
        tol: The tolerance.
        reached: Whether it was reached.
        reason: What limited it; empty if it was reached.
        error: The estimate of the largest error, relative to the size of each output, and to the value of each unknown
            if these have no tolerance of their own.
        windows: The number of windows in time.
        features: The features of the last window.
        points: The points of the last window.
        seconds: Seconds in all.
        tol_unknowns: The tolerance of unknowns, if they have their own.
        error_unknowns: The estimate of the largest error of an unknown relative to its value, in that case.
        until: How far in time the solution reaches, if not to the end: beyond it there is none.
        without: Outputs that the tolerance leaves out, because their values may be infinite.
        place: Where the last attempt had its largest error, in words, if the solve was broken off.
    """

    tol: float
    reached: bool
    reason: str
    error: float
    windows: int
    features: int
    points: int
    seconds: float
    tol_unknowns: float | None = None
    error_unknowns: float | None = None
    until: float | None = None
    without: list[str] = field(default_factory=list)
    place: str = ""

    @property
    def lines(self) -> list[str]:
        """The parts of the line that says how a solve ended."""
        own = self.tol_unknowns is not None
        error, tol = (
            f"{name} {outputs:.0e}" + (f" (unknowns {unknowns:.0e})" if own else "")
            for name, outputs, unknowns in (
                ("relative error", self.error, self.error_unknowns),
                ("tol", self.tol, self.tol_unknowns),
            )
        )
        parts = [error, f"{tol} {'reached' if self.reached else f'not reached: {self.reason}'}"]
        parts += [f"without {name}, which may be infinite" for name in self.without]
        if self.place:
            parts.append(f"largest error at {self.place}")
        if self.until is not None:
            parts.append(f"found up to {self.until:.4g}")
        if self.windows > 1:
            parts.append(f"{self.windows} windows")
        return [*parts, f"{self.features} features", f"{self.points} points", f"{self.seconds:.1f} s"]

    @property
    def broken_off(self) -> bool:
        """Whether a person or a time limit ended the solve, which can go on then."""
        return self.reason in ("Ctrl-C", "the time limit")
