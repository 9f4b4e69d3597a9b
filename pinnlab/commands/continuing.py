"""The command that continues a run: the one that began it, with the run's name and its last checkpoint."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path


def continuing(command: str, arguments: Sequence[str], root: Path, folder: Path) -> str:
    """The command as a shell takes it.

    Args:
        command: What began the run.
        arguments: With which arguments.
        root: The folder of run folders.
        folder: The run's.
    """
    name = folder.relative_to(root) if folder.is_relative_to(root) else folder.resolve()
    kept = _without(arguments, "--run.name", "--ckpt_path")
    return shlex.join(["python", "-m", "pinnlab", command, *kept, "--run.name", str(name), "--ckpt_path", "last"])


def _without(arguments: Sequence[str], *names: str) -> list[str]:
    """The arguments without these options and their values."""
    kept: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, _ = argument.partition("=")
        if name not in names:
            kept.append(argument)
        elif not equals:
            next(rest, None)
    return kept
