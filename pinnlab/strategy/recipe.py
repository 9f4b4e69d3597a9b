"""Recipes: what decides the next step of a solve from what the steps before have shown."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from pinnlab.equations import Equation
from pinnlab.errors import UserError
from pinnlab.strategy.features import Features, Layered
from pinnlab.strategy.structure.evolution import Evolution

FEWER = 0.7
"""The solution that a solution is compared with has this part of its features."""


@dataclass(frozen=True)
class Proposal:
    """Two solves with random features, of which one has fewer: they tell each other's errors.

    Attributes:
        features: The features.
        end: Where the window ends that begins where the accepted solution ends; None for an equation without time.
        why: The reason, in words.
        enough: The local error up to which the solution may be accepted. The error of the whole way costs one more
            solve, and is not asked for otherwise.
    """

    features: Features
    end: float | None = None
    why: str = ""
    enough: float = math.inf


@dataclass(frozen=True)
class Survey:
    """One solve with each of several features, to see which of them suit the solution.

    Attributes:
        features: The features.
        end: As in `Proposal`.
        why: The reason, in words.
    """

    features: tuple[Features, ...]
    end: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Accept:
    """The last proposal's solution becomes a part of the whole: the next window begins at its end."""


@dataclass(frozen=True)
class Recheck:
    """The solution with fewer features of an accepted window is found again with more of them, from that before it.

    Its error is the larger part of the estimate, and the estimate falls with it where the solution itself is exact
    enough. The windows after it keep their solutions.

    Attributes:
        window: The number of the window, from 0 on.
        part: The number of features, as a part of that of the accepted solution.
    """

    window: int
    part: float = 0.85


@dataclass(frozen=True)
class Restart:
    """All windows are dropped, and the first one begins again.

    Attributes:
        why: The reason, in words.
    """

    why: str


@dataclass(frozen=True)
class Vary:
    """The equation gets another value of one of its numbers; all others are as written.

    The next solves begin at the solution that was accepted for the value before; if there was none, where those began.
    A solve ends with the equation as written, or the tolerance is not reached.

    Attributes:
        parameter: The attribute with the number.
        value: Its value from here on.
        why: The reason, in words.
    """

    parameter: str
    value: float
    why: str = ""


@dataclass(frozen=True)
class Stop:
    """The end of a solve.

    Attributes:
        reached: Whether the tolerance was reached.
        reason: What limited it, in words.
        without: Outputs that need not have reached it, because their values may be infinite.
    """

    reached: bool
    reason: str = ""
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of a proposal.

    Attributes:
        begin: Where its window began; None for an equation without time.
        local: The largest difference, relative to the size of each output, between this solution and that with fewer
            features, both from the same start; or the root of the loss on points that training has not seen, relative
            to the sizes too, if that is larger. Errors of unknowns are in units of their tolerance: see
            `Progress.largest`.
        error: The same with both from their own starts, the largest of all windows so far: the estimate of the error.
            Of a window that is not exact enough to be accepted it is at least `local`, with the same start.
        where: The point of the largest difference, by input.
        held_out: The loss on points that training has not seen.
        change: The largest change of an output from the start to the end of the window, relative to its size.
        noise: The part of the error that noise in measurements causes.
        most: The most features that the memory allows here; a proposal of more ends the solve.
        layers: For each column of the inputs the layers that the solution has along it, as centres and widths; empty
            for a solution that is exact enough.
        onward: The same at the end of the window; empty for coordinates that are not stretched.
        errors: The errors by output and unknown, of which `error` is the largest.
        held_out_fewer: The loss of the solution with fewer features, as `held_out`; infinite if it is not known.
    """

    begin: float | None
    local: float
    error: float
    where: Mapping[str, float | list[float]]
    held_out: float
    change: float = 0.0
    noise: float = 0.0
    most: float = math.inf
    layers: Layered = ()
    onward: Layered = ()
    errors: Mapping[str, float] = field(default_factory=dict)
    held_out_fewer: float = math.inf

    @property
    def place(self) -> str:
        """Where the largest difference is, in words.

        Example:
            >>> Outcome(None, 0.1, 0.1, {"t": 0.5, "x": [0.25, 1.0]}, 0.0).place
            't = 0.5, x = (0.25, 1)'
        """
        return ", ".join(
            f"{name} = {value:.3g}"
            if isinstance(value, float)
            else f"{name} = ({', '.join(f'{v:.3g}' for v in value)})"
            for name, value in self.where.items()
        )


Decision = Proposal | Survey | Accept | Recheck | Restart | Vary
Answer = Outcome | tuple[float, ...] | None
"""What a decision is answered with: an outcome, the held-out losses of a survey, one error of a recheck, or nothing."""
Decisions = Generator[Decision, Answer, Stop]


@dataclass
class Progress:
    """What a recipe sees of a solve.

    Attributes:
        equation: The equation.
        evolution: Its time, if it has one.
        tol: The tolerance, relative to the size of each output.
        time: How far the accepted solution reaches; None without time.
        periodic: For each column of the inputs, whether the solution is periodic along it; empty for none.
        unbounded: The outputs that no condition on a boundary asks for.
        features: Those of the solution that was accepted last.
        windows: The number of accepted windows.
        tol_unknowns: That of unknowns, relative to their values; `tol` by default.
    """

    equation: Equation
    evolution: Evolution | None
    tol: float
    time: float | None = None
    periodic: tuple[bool, ...] = ()
    unbounded: tuple[str, ...] = ()
    features: Features | None = None
    windows: int = 0
    tol_unknowns: float | None = None

    def largest(self, errors: Mapping[str, float]) -> float:
        """The largest of relative errors by name, to be compared with `tol`; 0 for none.

        The error of an unknown counts `tol / tol_unknowns` times, so that it is `tol` where it is just allowed.

        Example:
            >>> from pinnlab.problems import SelfSimilarBurgers
            >>> Progress(SelfSimilarBurgers(1), None, 1e-6, tol_unknowns=1e-2).largest({"U": 1e-9, "lam": 5e-3})
            5e-07
        """
        unknowns = self.equation.unknowns() if self.tol_unknowns is not None else ()
        unit = self.tol / (self.tol_unknowns or self.tol)
        return max((error * unit if name in unknowns else error for name, error in errors.items()), default=0.0)


class Recipe(ABC):
    """Decides what is tried next, and owns no training loop.

    What it decides depends on the answers alone, and not on the clock: a solve that is resumed or repeated takes the
    same decisions.

    Example:
        Twice the features until two solutions agree:

        >>> class Doubling(Recipe):
        ...     def decisions(self, progress):
        ...         count, scales = 100, (4.0,) * progress.equation.dimension
        ...         end = progress.evolution and progress.evolution.end
        ...         while count < 2000:
        ...             outcome = yield Proposal(Features(count, scales), end, "twice the features")
        ...             if outcome.error <= progress.tol:
        ...                 yield Accept()
        ...                 return Stop(True)
        ...             count *= 2
        ...         return Stop(False, "the number of features")
    """

    @abstractmethod
    def decisions(self, progress: Progress) -> Decisions:
        """The decisions one after the other; each `yield` gives the answer to the decision."""


def checked(decision: object, progress: Progress, proposed: bool) -> Decision:
    """A decision that can be carried out.

    Args:
        decision: What a recipe has decided.
        progress: What it has seen.
        proposed: Whether there is a proposal to accept.

    Raises:
        UserError: if it is no decision, ends its window where none can end, accepts what was not proposed, or varies an
            equation with time.
    """
    if not isinstance(decision, Decision):
        raise UserError(f"a recipe yields a Proposal, Survey, Accept, Recheck, Restart or Vary, not {decision!r:.60}")
    if isinstance(decision, Recheck) and not (0 <= decision.window < progress.windows and 0 < decision.part <= 1):
        raise UserError(f"a recipe checks one of {progress.windows} accepted windows with a part of its features again")
    if isinstance(decision, Accept) and not proposed:
        raise UserError("a recipe yields Accept() after a Proposal: there is none")
    if isinstance(decision, Proposal) and decision.features.count < 1:
        raise UserError(f"a recipe proposes a positive number of features, not {decision.features.count}")
    if isinstance(decision, Vary) and progress.evolution is not None:
        raise UserError(
            f"{progress.equation.name} has a time, {progress.evolution.along}: only an equation without one is solved "
            f"for other values of {decision.parameter} first"
        )
    if isinstance(decision, Proposal | Survey) and progress.evolution is not None:
        now, last = progress.time, progress.evolution.end
        if now is None or decision.end is None or not now < decision.end <= last:
            along = progress.evolution.along
            raise UserError(f"a window from {along} = {now} ends after that and by {last}, not at end={decision.end}")
    return decision
