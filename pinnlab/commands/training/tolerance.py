"""`fit --tol`: an equation solved to a tolerance, as `pinnlab.solve(equation, tol=…)` does."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from jsonargparse import ArgumentParser, Namespace

from pinnlab.commands.options import building
from pinnlab.commands.options.given import Given
from pinnlab.commands.options.parsing import parse
from pinnlab.commands.options.run_options import FolderOptions, check_seed
from pinnlab.commands.training.chosen import superfluous
from pinnlab.commands.training.notes import note
from pinnlab.commands.training.resuming import continuing
from pinnlab.commands.training.signals import interrupting
from pinnlab.equations import Equation
from pinnlab.errors import NothingFoundError, UserError
from pinnlab.reporting.folder import RunFolder
from pinnlab.solution import Solution
from pinnlab.solution.solve_folder import SolveFolder
from pinnlab.solution.tolerance import solve_to
from pinnlab.strategy import Recipe
from pinnlab.training.setup.settings import default_dtype, without_warnings

_DESCRIPTION = """\
Solves an equation to a tolerance: windows in time, random features, points and weights are found on the way. A solve
that was killed goes on when the same command with the same --run.name is given again."""

_PROCESSES = ("SLURM_NTASKS", "WORLD_SIZE")


@dataclass(frozen=True)
class Tolerance:
    """How exact a solution is to be, and how that is reached.

    Attributes:
        tol: The largest error of each output relative to its largest value, and of each unknown relative to its value.
        recipe: What decides how the tolerance is reached; Refinement by default.
        time_limit: Seconds after which no further step begins.
        seed_everything: The seed of features and points.
    """

    tol: float
    recipe: Recipe
    time_limit: float | None = None
    seed_everything: int = 0


@dataclass(frozen=True)
class Model:
    """What is solved.

    Attributes:
        equation: A class that ships, by its name, or one of your own as file.Class.
    """

    equation: Equation


def solve(arguments: Sequence[str], given: Given) -> int:
    """Solve an equation to a tolerance and leave a run folder.

    Args:
        arguments: The arguments of `fit`, as they are repeated to a user who wants to continue.
        given: What they give.

    Returns:
        0, whether the tolerance was reached or not; 128 plus the number of the signal that interrupted the solve.

    Raises:
        UserError: if an option, the equation or the folder is wrong, or nothing was found.
    """
    values = given.values()
    plain = given.without(*superfluous(values))
    _refuse_ranks(os.environ)
    if values.get("ckpt_path") is not None and values.get("run.name") is None:
        raise UserError("--ckpt_path last needs the name of the solve to continue: give --run.name")
    first = {"recipe": {"class_path": "Refinement"}}
    with without_warnings(), default_dtype(torch.float64):
        parser = _parser()
        config = parse(parser, plain, first, ("model", "run"))
        with building.one_line():
            options = parser.instantiate(config)
        return _solve(arguments, options)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m pinnlab fit", description=_DESCRIPTION, parser_mode="omegaconf+", exit_on_error=False
    )
    parser.add_argument("--config", action="config", help="a file with any of these options; later ones change values")
    parser.add_class_arguments(Tolerance, fail_untyped=False)
    parser.add_class_arguments(Model, "model", fail_untyped=False)
    parser.add_class_arguments(FolderOptions, "run")
    return parser


def _refuse_ranks(environment: Mapping[str, str]) -> None:
    """Refuses to run beside other processes of the same job.

    Raises:
        UserError: naming the variable that counts them.
    """
    for name in _PROCESSES:
        if (count := environment.get(name, "1")).isdigit() and int(count) > 1:
            raise UserError(f"a solve to a tolerance runs in one process, and {name} is {count}: start one")


def _solve(arguments: Sequence[str], options: Namespace) -> int:
    equation, run = options.model.equation, options.run
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    with interrupting() as received, _folder(options) as path:

        def further() -> str:
            return f"continue with: {continuing('fit', arguments, Path(run.root), path)}"

        try:
            with building.users_mistakes():
                solution = solve_to(
                    equation, options.tol, recipe=options.recipe, time_limit=options.time_limit,
                    seed=check_seed(options.seed_everything), folder=path, progress=True,
                )  # fmt: skip
        except KeyboardInterrupt as stop:
            found = getattr(stop, "solution", None)
            _tell(path, found)
            note(f"interrupted by {received.name} after step {len(RunFolder(path).read_decisions())}; {further()}")
            return received.status
        except NothingFoundError as error:
            raise UserError(f"{error}; {further()}" if error.broken_off else str(error)) from None
        _tell(path, solution)
    assert solution.ending is not None
    if solution.ending.broken_off:
        note(f"ended by {solution.ending.reason}; {further()}")
    return 0


def _tell(path: Path, solution: Solution | None) -> None:
    """Say where the record is, and what was found."""
    print(f"run folder: {path}")
    if solution is not None:
        print(solution)
    sys.stdout.flush()


@contextmanager
def _folder(options: Namespace) -> Iterator[Path]:
    """The run folder; nothing is left of a new one if the solve ends by an error before its first step."""
    root, name = Path(options.run.root), options.run.name
    beginning = not root.exists()
    new = name is None or not (root / name).exists()
    default = f"{options.model.equation.name}-{options.tol:.0e}-{options.seed_everything}"
    path = SolveFolder.fresh(root, default) if name is None else root / name
    try:
        yield path
    except Exception:
        if new and not RunFolder(path).read_decisions():
            shutil.rmtree(path, ignore_errors=True)
            if beginning:
                with suppress(OSError):
                    root.rmdir()
        raise
