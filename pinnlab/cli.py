"""The command line: finds the command and turns errors into one line and an exit status.

Nothing heavy is imported here; a command's module is imported when it is asked for.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pinnlab import __version__
from pinnlab.errors import DivergedError, RankError, UserError

TRAINING_USAGE = """\
usage: python -m pinnlab {command} [--config FILE ...] [--KEY VALUE ...]

  --config FILE              a whole experiment: a file of yours, or one that ships, such as
                             configs/self_similar_burgers/profile_1.yaml (python -m pinnlab equations NAME lists
                             them); later files change single values of earlier ones
  --model.equation Poisson   a class by its name, or by its path from the current folder (file.Class)
  --model.network MLP        the network; so engine, phases, … (MLP, NTP, Adam and L-BFGS where they are not given)
  --model.equation.profile 2 a value within what the files chose
  --model.phases.0.lr 2e-3   a value of the first phase
  --seed_everything 3        the seed of weights and points
  --run.root DIR --run.name NAME
                             where the run folder goes
  --ckpt_path FILE           a checkpoint to {checkpoint}; "last" is the newest one of the run --run.name
  --print_config             print the resolved configuration and stop
  --help-all                 every option"""


FIT_USAGE = (
    """\
usage: python -m pinnlab fit --model.equation Poisson

That is all it takes: the program chooses how to solve the equation to a tolerance, and estimates the error.

  --model.equation Poisson   a class by its name, or by its path from the current folder (file.Class)
  --model.equation.modes '[1, 2]'
                             an option of that class
  --tol 1e-8                 the largest error that is allowed, relative to the largest value of the solution; 1e-6 by
                             default
  --time_limit SECONDS       when to end with what was found by then
  --recipe.most 6400         an option of the recipe, which decides how the tolerance is reached
  --seed_everything 3        the seed of features and points
  --run.root DIR --run.name NAME
                             where the run folder goes; a solve of that name that was killed or broken off goes on
  --quiet                    print nothing but the last line, which has the result
  --config FILE              a file with any of these, your own or one that ships, such as configs/waves/kdv.yaml
  --print_config             print the resolved configuration and stop
  --help-all                 every option that goes with a tolerance

Where an option says how a network is trained, that is done in its place, and --print_config and --help-all are of it:

"""
    + TRAINING_USAGE
)


@dataclass(frozen=True)
class Command:
    """A command of the command line.

    Attributes:
        module: Imported to run it; its `main(command, arguments)` returns the exit status.
        help: One line for the table of commands.
        usage: What `--help` prints, or None to leave that to the module.
    """

    module: str
    help: str
    usage: str | None = None


def _training(help: str, checkpoint: str, usage: str = TRAINING_USAGE) -> Command:
    return Command("pinnlab.commands.training.command", help, usage.replace("{checkpoint}", checkpoint))


COMMANDS = {
    "fit": _training("solve an equation to a tolerance, or train a network on it", "continue from", FIT_USAGE),
    "validate": _training("errors and residuals of a checkpoint on held-out points", "evaluate"),
    "test": _training("the same, for a final check", "evaluate"),
    "predict": Command("pinnlab.commands.predict", "a solution and its derivatives on a grid or at points, as a file"),
    "export": Command("pinnlab.commands.export", "a network and its derivatives as a graph that needs no pinnlab"),
    "equations": Command("pinnlab.commands.equations", "the equations that ship: all, those with some words, or one"),
    "new-equation": Command("pinnlab.commands.new_equation", "write an equation, its configuration and its test"),
    "figures": Command("pinnlab.commands.figures", "draw the figures of runs again, from their records"),
    "compare": Command("pinnlab.commands.compare", "runs side by side, as tables, figure and HTML page"),
    "doctor": Command("pinnlab.commands.doctor.command", "whether all is ready here, and what to do where it is not"),
}
"""The commands by name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The command and its arguments; those of the process by default.

    Returns:
        The exit status: 0; 1 for a loss that diverged; 2 for bad input; 128 plus the number of the signal that
        interrupted the run.
    """
    name, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help", "help"):
        print(overview())
        return 0
    if name == "--version":
        print(f"pinnlab {__version__}")
        return 0
    if name not in COMMANDS:
        return _fail(f"there is no command {name!r}{nearest(name, COMMANDS)}; python -m pinnlab lists them")
    command = COMMANDS[name]
    if command.usage is not None and any(argument in ("-h", "--help") for argument in rest):
        print(command.usage.replace("{command}", name))
        return 0
    if os.getcwd() not in sys.path:
        # equations in files of the current folder, for the installed script as for python -m
        sys.path.insert(0, os.getcwd())
    try:
        return int(_imported(command.module).main(name, rest))
    except UserError as error:
        return _fail(str(error))
    except (DivergedError, RankError) as error:
        return _fail(str(error), status=1)
    except KeyboardInterrupt:
        return _fail("interrupted", status=130)
    except MemoryError as error:
        return _fail(f"there is not enough memory: {error}")
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.filename is None:
            raise
        return _fail(f"{error.filename}: {error.strerror}")


def run() -> None:
    """The entry point of the process."""
    try:
        try:
            status: Any = main()
        except SystemExit as end:
            # how the parsers of options end where they print something
            status = end.code
        # what is written at the exit of the process has nobody to tell of a closed pipe
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 128 + signal.SIGPIPE
    sys.exit(status)


def overview() -> str:
    """The table of commands."""
    lines = [f"pinnlab {__version__}: physics-informed neural networks", "", "usage: python -m pinnlab COMMAND ...", ""]
    lines += [f"  {name:<13} {command.help}" for name, command in COMMANDS.items()]
    return "\n".join([*lines, "", "python -m pinnlab COMMAND --help says more."])


def nearest(name: str, known: Sequence[str] | dict[str, Command]) -> str:
    """A suggestion in words, or nothing if no known name is near."""
    matches = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def _imported(name: str) -> ModuleType:
    """A command's module.

    Python does not look for cyclic garbage meanwhile. Torch and Lightning make a million objects that stay, and each
    search would go through all of them, which takes a fifth of the time of the imports. Later searches leave them out,
    too.
    """
    if name in sys.modules:
        return sys.modules[name]
    searching = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        if searching:
            gc.enable()


def _fail(message: str, status: int = 2) -> int:
    print(f"pinnlab: {' '.join(message.split())}", file=sys.stderr)
    return status
