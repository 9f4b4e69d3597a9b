"""`fit` without a training by hand: an equation is solved to a tolerance, as `pinnlab.solve(equation)` does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from jsonargparse import ArgumentParser, Namespace
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

from pinnlab.commands.options import building
from pinnlab.commands.options.given import Given
from pinnlab.commands.options.parsing import parse
from pinnlab.commands.options.run_options import FolderOptions
from pinnlab.commands.training.chosen import superfluous
from pinnlab.commands.training.logged import logged
from pinnlab.commands.training.notes import note
from pinnlab.commands.training.resuming import continuing
from pinnlab.commands.training.signals import interrupting
from pinnlab.equations import Equation
from pinnlab.errors import NothingFoundError, UserError
from pinnlab.reporting.folder import RunFolder
from pinnlab.reporting.record.tracking import Wandb
from pinnlab.solution import Solution
from pinnlab.solution.tolerance.solve_folder import SolveFolder
from pinnlab.solution.tolerance.solve_to import TOL, check_arguments, solve_to
from pinnlab.strategy import Recipe
from pinnlab.training.setup.given import seed_of
from pinnlab.training.setup.settings import default_dtype, without_warnings

_DESCRIPTION = """\
Solves an equation to a tolerance: windows in time, random features, points and weights are found on the way. A solve
that was killed goes on when the same command with the same --run.name is given again."""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How exact a solution is to be, and how that is reached.

    Attributes:
        tol: The largest error of each output relative to its largest value, and of each unknown relative to its value.
        recipe: What decides how the tolerance is reached; Refinement by default.
        time_limit: Seconds after which no further step begins.
        tol_unknowns: The tolerance of unknowns in place of tol.
        memory: Bytes that the solve may take; four fifths of what the machine has left by default.
        seed_everything: The seed of features and points.
    """

    tol: float = TOL
    recipe: Recipe
    time_limit: float | None = None
    tol_unknowns: float | None = None
    memory: float | None = None
    seed_everything: int = 0


@dataclass(frozen=True)
class Model:
    """What is solved.

    Attributes:
        equation: A class that ships, by its name, or one of your own as file.Class.
    """

    equation: Equation


def solve(arguments: Sequence[str], given: Given, quiet: bool = False) -> int:
    """Solve an equation to a tolerance and leave a run folder.

    Args:
        arguments: The arguments of `fit`, as they are repeated to a user who wants to continue.
        given: What they give.
        quiet: Whether to print nothing but what was found.

    Returns:
        0, whether the tolerance was reached or not; 128 plus the number of the signal that interrupted the solve.

    Raises:
        UserError: if an option, the equation or the folder is wrong, or nothing was found.
    """
    values = given.values()
    empty = [key for key in ("wandb",) if values.get(key, "") in (None, {})]
    plain = given.without(*superfluous(values), *empty)
    # on a host of a cluster Lightning says that srun is there
    with without_warnings():
        _refuse_ranks(os.environ)
    if values.get("ckpt_path") is not None and values.get("run.name") is None:
        raise UserError("--ckpt_path last needs the name of the solve to continue: give --run.name")
    first = {"recipe": {"class_path": "Refinement"}}
    with without_warnings(), default_dtype(torch.float64):
        parser = _parser()
        config = parse(parser, plain, first, ("model", "run", "wandb"))
        with building.one_line():
            options = parser.instantiate(config)
        return _solve(arguments, options, any(key.startswith("wandb.") for key in values), quiet)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m pinnlab fit", description=_DESCRIPTION, parser_mode="omegaconf+", exit_on_error=False
    )
    parser.add_argument("--config", action="config", help="a file with any of these options; later ones change values")
    parser.add_class_arguments(Tolerance, fail_untyped=False)
    parser.add_class_arguments(Model, "model", fail_untyped=False)
    parser.add_class_arguments(FolderOptions, "run")
    parser.add_class_arguments(Wandb, "wandb")
    return parser


def _refuse_ranks(environment: Mapping[str, str]) -> None:
    """Refuses to run beside other processes of the same job.

    Raises:
        UserError: naming the variable that counts them.
    """
    # of torchrun, and of a job step: not that of a shell within a job, which starts one process
    for name in ("WORLD_SIZE", *(["SLURM_NTASKS"] if SLURMEnvironment.detect() else [])):
        if (count := environment.get(name, "1")).isdigit() and int(count) > 1:
            raise UserError(f"a solve to a tolerance runs in one process, and {name} is {count}: start one")


def _solve(arguments: Sequence[str], options: Namespace, tracked: bool, quiet: bool) -> int:
    equation, run, seed = options.model.equation, options.run, seed_of(options.seed_everything, "seed_everything")
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    with building.users_mistakes(), interrupting() as received, _root(Path(run.root)) as root:
        chosen = {name: options[name] for name in ("recipe", "time_limit", "tol_unknowns", "memory")}
        check_arguments(equation, options.tol, **chosen)
        path = (
            SolveFolder.fresh(root, f"{equation.name}-{options.tol:.0e}-{seed}")
            if run.name is None
            else root / run.name
        )

        def further() -> str:
            return f"continue with: {continuing('fit', arguments, root, path)}"

        with logged(options.wandb, tracked, RunFolder(path)) as tracker:
            watch = None if tracker is None else tracker.row
            try:
                solution = solve_to(
                    equation, options.tol, **chosen, seed=seed, folder=path, progress=not quiet, watch=watch
                )
            except KeyboardInterrupt as stop:
                _tell(path, getattr(stop, "solution", None), quiet)
                note(f"interrupted by {received.name} after step {len(RunFolder(path).read_decisions())}; {further()}")
                return received.status
            except NothingFoundError as error:
                raise UserError(f"{error}; {further()}" if error.broken_off else str(error)) from None
            _tell(path, solution, quiet)
            if tracker is not None:
                tracker.end()
    assert solution.ending is not None
    if solution.ending.broken_off:
        note(f"ended by {solution.ending.reason}; {further()}")
    return 0


def _tell(path: Path, solution: Solution | None, quiet: bool) -> None:
    """Say where the record is, and what was found."""
    if not quiet:
        print(f"run folder: {path}")
    if solution is not None:
        print(solution)
    sys.stdout.flush()


@contextmanager
def _root(root: Path) -> Iterator[Path]:
    """The folder of run folders; a new one does not stay if an error leaves nothing in it."""
    new = not root.exists()
    try:
        yield root
    except Exception:
        if new:
            with suppress(OSError):
                root.rmdir()
        raise
