"""The options `run` of a configuration."""

from __future__ import annotations

from dataclasses import dataclass

from pinnlab.errors import UserError


@dataclass(frozen=True)
class FolderOptions:
    """Where a fit leaves its record, and on how many threads it runs.

    Attributes:
        root: Folder of run folders.
        name: Name of the run folder; equation, engine or tolerance, seed and time by default.
        threads: Threads that torch may use; its own choice by default. Small networks are fastest with one.
    """

    root: str = "runs"
    name: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        """Check the name and the number of threads.

        Raises:
            UserError: if the folder cannot have that name, or a number is out of its range.
        """
        if self.name is not None and (not self.name.strip() or not self.name.isprintable()):
            raise UserError(f"run.name: {self.name!r} is no name of a folder")
        if self.threads is not None and self.threads < 1:
            raise UserError(f"run.threads must be positive, not {self.threads}")


@dataclass(frozen=True)
class RunOptions(FolderOptions):
    """Where a training leaves its record, how often its checkpoints, and what it begins from.

    Attributes:
        checkpoint_seconds: Seconds between two checkpoints.
        checkpoint_steps: Training steps between two checkpoints, as well.
        warm_start: A run folder or checkpoint to begin from: its network, which must be of the same size, and those
            unknowns that lie within their bounds here. The equation may be another. A run that is continued goes on
            from its own checkpoint.
    """

    checkpoint_seconds: float = 60.0
    checkpoint_steps: int | None = None
    warm_start: str | None = None

    def __post_init__(self) -> None:
        """Check the numbers and the name.

        Raises:
            UserError: if one is out of its range.
        """
        super().__post_init__()
        if not self.checkpoint_seconds >= 0:
            raise UserError(f"run.checkpoint_seconds must not be negative, not {self.checkpoint_seconds}")
        if self.checkpoint_steps is not None and self.checkpoint_steps < 1:
            raise UserError(f"run.checkpoint_steps must be positive, not {self.checkpoint_steps}")
