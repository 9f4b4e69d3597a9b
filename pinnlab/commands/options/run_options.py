"""The options `run` of a configuration."""

from __future__ import annotations

from dataclasses import dataclass

from pinnlab.errors import UserError


@dataclass(frozen=True)
class RunOptions:
    """Where a fit leaves its record.

    Attributes:
        root: Folder of run folders.
        name: Name of the run folder; equation, engine, seed and time by default.
        checkpoint_seconds: Seconds between two checkpoints.
        checkpoint_steps: Training steps between two checkpoints, as well.
        threads: Threads that torch may use; its own choice by default. Small networks are fastest with one.
        warm_start: A run folder or checkpoint to begin from: its network, which must be of the same size, and those
            unknowns that lie within their bounds here. The equation may be another. A run that is continued goes on
            from its own checkpoint.
    """

    root: str = "runs"
    name: str | None = None
    checkpoint_seconds: float = 60.0
    checkpoint_steps: int | None = None
    threads: int | None = None
    warm_start: str | None = None

    def __post_init__(self) -> None:
        """Check the numbers and the name.

        Raises:
            UserError: if one is out of its range.
        """
        if self.name is not None and (not self.name.strip() or not self.name.isprintable()):
            raise UserError(f"run.name: {self.name!r} is no name of a folder")
        if not self.checkpoint_seconds >= 0:
            raise UserError(f"run.checkpoint_seconds must not be negative, not {self.checkpoint_seconds}")
        for name, value in (("checkpoint_steps", self.checkpoint_steps), ("threads", self.threads)):
            if value is not None and value < 1:
                raise UserError(f"run.{name} must be positive, not {value}")
