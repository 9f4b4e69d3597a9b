"""What a check found."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class State(enum.Enum):
    """How good or bad a finding is."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        part: The heading that it stands under.
        name: What was looked at.
        value: What was found.
        state: How good or bad that is; FAIL where pinnlab cannot be used.
        advice: What to do about it.
    """

    part: str
    name: str
    value: str
    state: State = State.OK
    advice: str = ""
