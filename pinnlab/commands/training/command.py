"""`fit`, `validate`, `test` and `predict`: finds out whether a tolerance is given, or a training is described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pinnlab.commands.options.given import Given
from pinnlab.errors import UserError

_WITH_TOL = ("recipe", "time_limit", "tol_unknowns", "memory")


def main(command: str, arguments: Sequence[str]) -> int:
    """Run one of the four commands.

    Returns:
        The exit status: 0; 1 if what follows the training failed; 128 plus the number of a signal that interrupted it.

    Raises:
        UserError: if the options, a configuration or a checkpoint is wrong.
        DivergedError: if the loss became NaN or infinite.
    """
    given = Given.read(arguments)
    if _to_a_tolerance(given.values()):
        if command != "fit":
            raise UserError(
                f"tol is for fit: {command} takes the record of a run, --config RUN/config.yaml --ckpt_path "
                "RUN/checkpoints/last.ckpt"
            )
        from pinnlab.commands.training.tolerance import solve

        return solve(arguments, given)
    from pinnlab.commands.training.train import train

    return train(command, arguments, given)


def _to_a_tolerance(values: Mapping[str, Any]) -> bool:
    """Whether there is a tolerance.

    Raises:
        UserError: if there is none, and an option that goes with one.
    """
    if values.get("tol") is not None:
        return True
    for name in _WITH_TOL:
        if any(key.split(".")[0] == name for key in values):
            raise UserError(f"{name} goes with a tolerance: give --tol 1e-6 too, or leave {name} out")
    if "tol" in values:
        raise UserError("tol has no value: give --tol 1e-6, or leave it out")
    return False
