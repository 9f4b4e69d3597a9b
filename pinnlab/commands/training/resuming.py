"""Going on with a run: the checkpoint that it goes on from, and the command that continues it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from pinnlab.errors import UserError
from pinnlab.reporting.folder import RunFolder
from pinnlab.solution.saved import run_of
from pinnlab.training.callbacks.checkpoint import verify
from pinnlab.training.pinn import PINN
from pinnlab.training.schedule import EndedError


def resumable(model: PINN, path: Path, say: Callable[[str], None]) -> Path:
    """A checkpoint that a model can go on from: the one asked for, or the one before it.

    A run that was stopped at its very end may have written its last checkpoint and not its numbers. It goes on from
    the checkpoint before.

    Args:
        model: The module that goes on.
        path: The checkpoint.
        say: Told of such a run.

    Raises:
        UserError: if the checkpoint is of another model or list of phases.
        EndedError: if there is nothing left to do.
    """
    stored = torch.load(path, map_location="cpu", weights_only=True)
    try:
        model.check(stored, resume=True)
    except EndedError:
        before = path.with_name("previous.ckpt")
        if path.name != "last.ckpt" or RunFolder(run_of(path)).finished or not before.exists():
            raise
        say(f"the run {run_of(path)} was stopped at its very end: its last steps are repeated")
        verify(before)
        return before
    return path


def refuse_solve(folder: RunFolder) -> None:
    """Refuses to train in the folder of a solve to a tolerance, which would take its record's place.

    Raises:
        UserError: if it is one.
    """
    if folder.decisions.exists():
        raise UserError(
            f"{folder.path} is of a solve to a tolerance: continue it with its --tol, or choose another run.name, with "
            "--run.warm_start to begin from what it found"
        )


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
