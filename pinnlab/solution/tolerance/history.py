"""What a solve to a tolerance has tried: a row for each proposal, and a line for a person who waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pinnlab.strategy.march import March
from pinnlab.strategy.recipe import Accept, Answer, Decision, Outcome, Proposal, Recheck, Restart, Survey, Vary

Watch = Callable[[Mapping[str, Any]], None]
"""Called with a row."""


class History:
    """The rows of a solve, one for each proposal.

    Attributes:
        rows: The rows.
    """

    def __init__(self, watch: Watch | None = None) -> None:
        """No rows yet.

        Args:
            watch: Called with each row as soon as it is known whether it was accepted.
        """
        self.rows: list[dict[str, Any]] = []
        self._watch = watch

    def add(self, decision: Decision, answer: Answer, seconds: float) -> None:
        """Takes the answer to a decision.

        Args:
            decision: The decision.
            answer: Its answer.
            seconds: The seconds of the solve so far.
        """
        if isinstance(answer, Outcome):
            self.close()
            self.rows.append(row(len(self.rows), decision, answer, seconds))
        elif isinstance(decision, Accept):
            self.rows[-1]["solve/accepted"] = 1.0

    def close(self) -> None:
        """The last row stays as it is."""
        if self._watch is not None and self.rows:
            self._watch(self.rows[-1])

    def columns(self) -> dict[str, np.ndarray]:
        """The rows as columns."""
        return {name: np.array([row[name] for row in self.rows]) for name in (self.rows[0] if self.rows else ())}


def row(number: int, decision: Decision, outcome: Outcome, seconds: float) -> dict[str, Any]:
    """A row of the record for a proposal, which is accepted later if at all."""
    assert isinstance(decision, Proposal)
    return {
        "step": number,
        "phase": "proposal",
        "seconds": seconds,
        "loss": outcome.held_out,
        "solve/error": outcome.error,
        "solve/features": float(decision.features.count),
        "solve/begin": float("nan") if outcome.begin is None else outcome.begin,
        "solve/end": float("nan") if decision.end is None else decision.end,
        "solve/accepted": 0.0,
    }


def told(decision: Decision, answer: Answer, march: March) -> str:
    """A line for a person who waits; empty for decisions that take no time."""
    match decision:
        case Survey():
            return f"survey of {len(decision.features)}: {decision.why}"
        case Recheck():
            return f"window {decision.window + 1} again: the solution with fewer features gets more of them"
        case Restart():
            return f"from the start again: {decision.why}"
        case Vary():
            return f"{decision.parameter} = {decision.value:.6g}: {decision.why}"
        case Proposal():
            assert isinstance(answer, Outcome)
            window = ""
            if march.evolution is not None:
                window = f"{march.evolution.along} from {answer.begin:.4g} to {decision.end:.4g}, "
            error = f"error {answer.error:.1e} (tol {march.progress.tol:.0e})"
            return f"{window}{decision.features.count} features: {error}"
    return ""
