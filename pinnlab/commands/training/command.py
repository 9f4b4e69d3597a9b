"""`fit`, `validate`, `test` and `predict`: whether an equation is solved to a tolerance, or a network trained."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from pinnlab.commands.options.given import Given
from pinnlab.commands.training.chosen import HOW_EXACT
from pinnlab.errors import UserError
from pinnlab.reporting.folder import RunFolder

_QUIET = "--quiet"
# Job scripts give these to every fit.
_ANY = ("model.equation", "trainer.devices", "trainer.num_nodes")


def main(command: str, arguments: Sequence[str]) -> int:
    """Run one of the four commands.

    `fit` solves to a tolerance, unless an option says how a network is trained.

    Returns:
        The exit status: 0; 1 if what follows the training failed; 128 plus the number of a signal that interrupted it.

    Raises:
        UserError: if the options, a configuration or a checkpoint is wrong.
        DivergedError: if the loss became NaN or infinite.
    """
    quiet = _QUIET in arguments
    if quiet and command != "fit":
        raise UserError(f"{_QUIET} is for fit: {command} prints its results alone")
    arguments = [argument for argument in arguments if argument != _QUIET]
    given = Given.read(arguments)
    values = given.values()
    exact = next((name for name in HOW_EXACT if any(_within(key, (name,)) for key in values)), None)
    if exact is not None and command != "fit":
        raise UserError(
            f"{exact} is for fit: {command} takes the record of a run, --config RUN/config.yaml --ckpt_path "
            "RUN/checkpoints/last.ckpt"
        )
    if "tol" in values and values["tol"] is None:
        raise UserError("tol has no value: give --tol 1e-8, or leave it out")
    by_hand = any(_by_hand(key) for key, value in values.items() if value not in (None, {}))
    if command == "fit" and (exact is not None or not by_hand):
        with _loading(quiet):
            from pinnlab.commands.training.tolerance import solve

        return solve(arguments, given, quiet)
    if command == "fit" and values.get("ckpt_path") is None:
        _refuse_record(given)
    with _loading(quiet):
        from pinnlab.commands.training.train import train

    return train(command, arguments, given, quiet)


@contextmanager
def _loading(quiet: bool) -> Iterator[None]:
    """Says on a terminal what the first seconds are for, and takes it back."""
    shown = "" if quiet or not sys.stdout.isatty() else "loading PyTorch and Lightning ..."
    print(shown, end="", flush=True)
    try:
        yield
    finally:
        print("\b \b" * len(shown), end="", flush=True)


def _by_hand(key: str) -> bool:
    """Whether an option says how a network is trained."""
    return _within(key, ("model", "data", "trainer", "weights_only")) and not _within(key, _ANY)


def _within(key: str, names: Iterable[str]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in names)


def _refuse_record(given: Given) -> None:
    """Refuses to train by the phases in the record of a solve to a tolerance, which take no steps.

    Raises:
        UserError: naming the file that repeats the solve.
    """
    files = [option.file for option in given.options if any(_within(key, ("model.phases",)) for key in option.values())]
    if not files or files[-1] is None or any(change.list == "model.phases" for change in given.overrides):
        return
    folder = RunFolder(files[-1].parent)
    if files[-1] == folder.config and folder.begun.exists():
        raise UserError(
            f"{folder.config} is what a solve to a tolerance found, with nothing left to train: --config "
            f"{folder.begun} repeats the solve"
        )
