"""What is said beside the record, once for all ranks."""

from __future__ import annotations

import sys

from lightning.fabric.utilities.rank_zero import rank_zero_only


def is_rank_zero() -> bool:
    """Whether this process writes, known before a process group exists."""
    return getattr(rank_zero_only, "rank", 0) == 0


def note(line: str) -> None:
    """Say something about a run, once for all ranks."""
    if is_rank_zero():
        print(f"pinnlab: {line}", file=sys.stderr)
