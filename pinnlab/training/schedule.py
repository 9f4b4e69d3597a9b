"""Where a run stands in its list of phases, and when a phase is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pinnlab.errors import UserError
from pinnlab.training.phases import Phase


@dataclass(frozen=True)
class PhaseRecord:
    """A phase that has ended, or how far the current one has come.

    Attributes:
        number: Its place in the list of phases, from 1.
        name: The phase's name.
        steps: Steps taken.
        seconds: Seconds spent in them.
        loss: The loss at the end (in the current phase: at the start of its last step); None before any step.
        reason: Why it ended; empty while it runs.
    """

    number: int
    name: str
    steps: int
    seconds: float
    loss: float | None
    reason: str


class EndedError(UserError):
    """There is nothing left to do in a checkpoint."""


class Schedule:
    """The position in the list of phases: the one truth about how far a run has come.

    Args:
        phases: The phases in order.

    Raises:
        UserError: if there are no phases.
    """

    def __init__(self, phases: Sequence[Phase]) -> None:
        if not phases:
            raise UserError("phases: at least one is needed, for example {class_path: Adam, init_args: {steps: 1000}}")
        self.phases = list(phases)
        self.ended: list[PhaseRecord] = []
        self.step = 0
        """Training steps taken in all phases."""
        self.rows = 0
        """Lines of the record so far: where a resumed run goes on with it."""
        self.step_in_phase = 0
        self.seconds_in_phase = 0.0
        self.loss: float | None = None
        self._mark: tuple[float, int] | None = None
        self._skip_empty()

    @property
    def index(self) -> int:
        """The number of the current phase, from 0."""
        return len(self.ended)

    @property
    def done(self) -> bool:
        """Whether all phases have ended."""
        return self.index >= len(self.phases)

    @property
    def phase(self) -> Phase:
        """The current phase; the last one when all have ended."""
        return self.phases[min(self.index, len(self.phases) - 1)]

    @property
    def label(self) -> str:
        """The current phase in the record: its place in the list, from 1, and its name."""
        return f"{self.index + 1} {self.phase.name}"

    @property
    def where(self) -> str:
        """Step and phase in words."""
        return f"step {self.step_in_phase} of phase {self.index + 1} ({self.phase.name})"

    @property
    def seconds(self) -> float:
        """Seconds spent in training steps."""
        return self.seconds_in_phase + sum(record.seconds for record in self.ended)

    def records(self) -> list[PhaseRecord]:
        """The phases that have ended, and the current one if it has begun."""
        current = PhaseRecord(self.index + 1, self.phase.name, self.step_in_phase, self.seconds_in_phase, self.loss, "")
        return [*self.ended, *([current] if self.step_in_phase else [])]

    def advance(self, loss: float, seconds: float, over: str = "") -> str:
        """Count a step that started at `loss` and took `seconds`.

        Args:
            loss: The loss where it started.
            seconds: What it took.
            over: Why the phase is over whatever its own rules say; empty if they decide.

        Returns:
            Why the phase is over, or an empty string while it goes on.
        """
        self.step += 1
        self.step_in_phase += 1
        self.seconds_in_phase += seconds
        self.loss = loss
        # the rules count each step
        reason = self._reason(loss)
        return over or reason

    def end_phase(self, loss: float, reason: str) -> PhaseRecord:
        """Close the current phase at `loss` and go on to the next."""
        record = PhaseRecord(self.index + 1, self.phase.name, self.step_in_phase, self.seconds_in_phase, loss, reason)
        self.ended.append(record)
        self._begin()
        self._skip_empty()
        return record

    def state_dict(self) -> dict[str, Any]:
        """The position as plain numbers, lists and strings."""
        return {
            "phases": [phase.name for phase in self.phases],
            "stages": [phase.stage for phase in self.phases],
            "ended": [asdict(record) for record in self.ended],
            "step": self.step,
            "rows": self.rows,
            "step_in_phase": self.step_in_phase,
            "seconds_in_phase": self.seconds_in_phase,
            "loss": self.loss,
            "mark": None if self._mark is None else list(self._mark),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a stored position.

        Raises:
            UserError: if it belongs to another list of phases.
            EndedError: if all of its phases have ended.
        """
        names = [phase.name for phase in self.phases]
        if state["phases"] != names:
            raise UserError(
                f"the checkpoint was written by a run with the phases {', '.join(state['phases'])}, but the "
                f"configuration has {', '.join(names)}: resume with the same list"
            )
        stages = [phase.stage for phase in self.phases]
        # a version of the package without stages wrote none
        if state.get("stages", stages) != stages:
            raise UserError(
                f"the checkpoint was written by a run whose phases train the stages {_list(state['stages'])}, but in "
                f"the configuration they train {_list(stages)}: resume with the same"
            )
        self.ended = [PhaseRecord(**record) for record in state["ended"]]
        self.step = state["step"]
        self.rows = state["rows"]
        self.step_in_phase = state["step_in_phase"]
        self.seconds_in_phase = state["seconds_in_phase"]
        self.loss = state["loss"]
        self._mark = None if state["mark"] is None else (state["mark"][0], state["mark"][1])
        if self.done:
            self._reopen()

    def _reason(self, loss: float) -> str:
        phase = self.phase
        if phase.tolerance is not None and loss < phase.tolerance:
            return f"the loss is below {phase.tolerance:g}"
        if phase.plateau is not None:
            if self._mark is None or loss < self._mark[0] * (1 - phase.plateau.decrease):
                self._mark = (loss, self.step_in_phase)
            elif self.step_in_phase - self._mark[1] >= phase.plateau.steps:
                return (
                    f"the loss has settled: it fell by less than {100 * phase.plateau.decrease:.3g} % "
                    f"in {phase.plateau.steps} steps"
                )
        if self.step_in_phase >= phase.steps:
            return "all its steps are done"
        return ""

    def _reopen(self) -> None:
        """Go on with the last phase of a finished run if it has been given more steps."""
        last = self.ended[-1]
        if last.steps >= self.phases[-1].steps or last.reason != "all its steps are done":
            raise EndedError(
                f"all phases of this checkpoint have ended (the last one: {last.reason}): "
                "give its last phase more steps to go on, or start a new run"
            )
        self.ended.pop()
        self.step_in_phase, self.seconds_in_phase, self.loss = last.steps, last.seconds, last.loss

    def _begin(self) -> None:
        self.step_in_phase = 0
        self.seconds_in_phase = 0.0
        self._mark = None

    def _skip_empty(self) -> None:
        while not self.done and self.phase.steps == 0:
            self.ended.append(PhaseRecord(self.index + 1, self.phase.name, 0, 0.0, self.loss, "it has no steps"))


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
