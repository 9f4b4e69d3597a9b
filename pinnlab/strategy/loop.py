"""The decisions of a recipe one after the other, answered by doing them or from a journal."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from pinnlab.errors import UserError
from pinnlab.strategy.agreement import Piece
from pinnlab.strategy.journal import Journal
from pinnlab.strategy.recipe import (
    Accept,
    Answer,
    Decision,
    Outcome,
    Progress,
    Proposal,
    Recheck,
    Recipe,
    Restart,
    Stop,
    Survey,
    Vary,
    checked,
)
from pinnlab.strategy.way import Way, best


class _BrokenOff(Exception):
    """A step that is broken off, with the reason."""


class Loop(ABC):
    """Takes decisions until a recipe stops; what they do is for `March` to say.

    Attributes:
        recipe: What decides.
        progress: What the recipe sees.
        way: What was accepted since the last restart.
        latest: What came of the last proposal.
    """

    def __init__(self, recipe: Recipe, progress: Progress) -> None:
        """Begins."""
        self.recipe, self.progress = recipe, progress
        self.latest: Outcome | None = None
        self._before: Way | None = None
        self._written = True
        self._late: Callable[[], str] = _never
        self._begin()

    def _begin(self) -> None:
        self.way = Way(self.progress.equation, self.progress.evolution, written=self._written)
        self._candidate: Piece | None = None
        self._proposed: Proposal | None = None
        self.progress.time, self.progress.windows = self.way.time, 0

    def _again(self) -> None:
        """Begins again. What was found is kept until there is better: a solve may end before it comes as far again."""
        self._before = best([*([] if self._before is None else [self._before]), self.way])
        self._begin()

    def _vary(self, decision: Vary) -> None:
        """Begins again for another value of a parameter."""
        self._written = self._change(decision)
        self._again()

    @property
    def found(self) -> bool:
        """Whether there is any solution at hand, accepted or not."""
        return bool(self.best.pieces) or self._candidate is not None

    @property
    def best(self) -> Way:
        """What was accepted, or what was before it began again if that reaches farther or has smaller errors."""
        return self.way if self._before is None else best([self._before, self.way])

    def accept(self) -> None:
        """Accepts the solution of the last proposal, whatever its error is."""
        assert self._candidate is not None
        assert self._proposed is not None
        self.way.add(self._candidate)
        self.progress.time, self.progress.features = self.way.time, self._proposed.features
        self.progress.windows = len(self.way.pieces)
        self._candidate = self._proposed = None

    def run(
        self,
        journal: Journal | None = None,
        over: Callable[[], str] = lambda: "",
        tell: Callable[[Decision, Answer], None] = lambda *_: None,
        late: Callable[[], str] | None = None,
    ) -> Stop:
        """Goes on until the recipe stops.

        Decisions that a journal has are answered from it, and their accepted solutions are read; the others are added.

        Args:
            journal: The journal; nothing is kept without one.
            over: Why to stop before the next decision; empty to go on.
            tell: Is told every decision and its answer.
            late: Why to break off a step of a solve, once there is a solution; nothing does by default.

        Raises:
            UserError: if the recipe decides otherwise than the journal says.
        """
        self._late = late or _never
        try:
            return self._run(journal, over, tell)
        except _BrokenOff as broken:
            return Stop(False, str(broken))
        finally:
            self._late = _never

    def _step(self) -> None:
        """Is called before each step of a solve: breaks it off if the time is over and there is a solution."""
        if self.found and (reason := self._late()):
            raise _BrokenOff(reason)

    def _run(self, journal: Journal | None, over: Callable[[], str], tell: Callable[[Decision, Answer], None]) -> Stop:
        past = iter(journal.entries() if journal is not None else ())
        decisions = self.recipe.decisions(self.progress)
        answer: Answer = None
        accepted = 0
        while True:
            try:
                decision = checked(decisions.send(answer), self.progress, self._proposed is not None)
            except StopIteration as end:
                if not isinstance(end.value, Stop):
                    raise UserError(f"a recipe returns a Stop, not {end.value!r:.60}") from None
                return end.value
            known = next(past, None)
            if known is None and (reason := over() or self._lacking(decision)):
                return Stop(False, reason)
            if known is not None and known[0] != decision:
                raise UserError(f"the journal is of another solve: it has {known[0]}, and now it would be {decision}")
            if isinstance(decision, Accept | Recheck):
                accepted += 1
            if known is not None:
                assert journal is not None
                answer = known[1]
                match decision:
                    case Proposal():
                        self._proposed = decision
                    case Accept():
                        self._restore(journal.piece(accepted))
                    case Recheck():
                        self._recheck(decision, journal.piece(accepted))
                    case Restart():
                        self._again()
                    case Vary():
                        self._vary(decision)
            else:
                if isinstance(decision, Accept):
                    self._repeat()
                began = time.perf_counter()
                answer = self._answer(decision)
                if journal is not None:
                    if isinstance(decision, Accept | Recheck):
                        number = decision.window if isinstance(decision, Recheck) else -1
                        journal.keep(accepted, self.way.pieces[number].state)
                    journal.write(decision, answer, time.perf_counter() - began)
            if isinstance(answer, Outcome):
                self.latest = answer
            tell(decision, answer)

    def _answer(self, decision: Decision) -> Answer:
        match decision:
            case Proposal():
                outcome = self._attempt(decision)
                # not before: it may be broken off
                self._proposed = decision
                return outcome
            case Survey():
                return self._survey(decision)
            case Accept():
                self.accept()
            case Recheck():
                return (self._recheck(decision, None),)
            case Restart():
                self._again()
            case Vary():
                self._vary(decision)
        return None

    def settle(self) -> Way:
        """The best that was found: where nothing was accepted, the last proposal is. It may have no pieces at all."""
        if not self.best.pieces and self._proposed is not None:
            self._repeat()
            self.accept()
        return self.best

    def _repeat(self) -> None:
        """Tries the last proposal again if its solution is gone: a solve was killed between it and its acceptance."""
        if self._candidate is None:
            assert self._proposed is not None
            self._attempt(self._proposed)

    @abstractmethod
    def _attempt(self, proposal: Proposal) -> Outcome:
        """Tries a proposal."""

    @abstractmethod
    def _survey(self, survey: Survey) -> tuple[float, ...]:
        """Solves once with each of the features: their held-out losses."""

    @abstractmethod
    def _recheck(self, decision: Recheck, state: Mapping[str, Any] | None) -> float:
        """Finds the solution with fewer features again, or takes that which was kept; returns the error."""

    @abstractmethod
    def _change(self, decision: Vary) -> bool:
        """Takes the equation with another value of a parameter; returns whether it is as written now."""

    @abstractmethod
    def _restore(self, state: Mapping[str, Any]) -> None:
        """Accepts the last proposal with solutions that were kept."""

    @abstractmethod
    def _lacking(self, decision: Decision) -> str:
        """What a decision would need and cannot have, in words; empty if it can be carried out."""


def _never() -> str:
    """There is no reason to stop."""
    return ""
