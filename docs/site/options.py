"""Writes the pages of the command line and of the configuration, from what the program itself says of them."""

from __future__ import annotations

import contextlib
import inspect
import io
from pathlib import Path

import docstring_parser

COMMAND_LINE = """# Command line

```text
{overview}
```

What `--help` says of each command:
"""
CONFIGURATION = """# Configuration

A configuration is a YAML file: `python -m pinnlab fit --config FILE`. Later files and options such as `--tol 1e-8`
change single values of earlier ones; `--model.phases.0.lr 2e-3` reaches into a list. Classes are written by their
names, as `MLP`, by their paths, as `file.Class`, or with options as `{class_path: MLP, init_args: {width: 32}}`.
`python -m pinnlab fit … --print_config` prints the whole of a configuration, and the record of every run has it as
`config.yaml`. The [API](api.rst) lists the classes of each kind.

"""
TRAINER = """
`trainer` has the options of Lightning's trainer, such as `trainer.accelerator` and `trainer.devices`.

## All keys of a training with their defaults

What `python -m pinnlab fit --model.equation Poisson --model.network MLP --print_config` prints:

"""


def write(folder: Path) -> None:
    """Writes both pages into a folder."""
    (folder / "command-line.md").write_text(command_line(), encoding="utf-8")
    (folder / "configuration.md").write_text(configuration(), encoding="utf-8")


def command_line() -> str:
    """The page of all commands."""
    from pinnlab.cli import COMMANDS, overview

    parts = [COMMAND_LINE.format(overview=overview())]
    parts += [f"## {name}\n\n```text\n{printed(name, '--help').rstrip()}\n```\n" for name in COMMANDS]
    return "\n".join(parts)


def configuration() -> str:
    """The page of all keys, with what they mean and their defaults."""
    from pinnlab.collocation.datamodule import Collocation
    from pinnlab.commands.options.run_options import FolderOptions, RunOptions
    from pinnlab.commands.training.tolerance import Model, Tolerance
    from pinnlab.reporting.record.tracking import Wandb
    from pinnlab.training.pinn import PINN

    parts = [CONFIGURATION, "## A solve to a tolerance\n"]
    parts.append(table({"": Tolerance, "model.": Model, "run.": FolderOptions}))
    parts.append("\n## A training by hand\n")
    parts.append(table({"model.": PINN, "data.": Collocation, "run.": RunOptions, "wandb.": Wandb}))
    shown = printed("fit", "--model.equation", "Poisson", "--model.network", "MLP", "--print_config")
    return "\n".join([*parts, TRAINER, f"```yaml\n{shown.rstrip()}\n```\n"])


def table(classes: dict[str, type]) -> str:
    """The arguments of classes by their keys."""
    lines = ["| key | default | |", "|---|---|---|"]
    for prefix, kind in classes.items():
        meaning = _meaning(kind)
        for name, parameter in inspect.signature(kind).parameters.items():
            lines.append(f"| `{prefix}{name}` | {_default(parameter.default)} | {meaning[name]} |")
    return "\n".join(lines)


def _default(value: object) -> str:
    """A default; nothing where there is none, or the text says what it means."""
    return f"`{value}`" if isinstance(value, bool | int | float | str) else ""


def _meaning(kind: type) -> dict[str, str]:
    """What docstrings say of the arguments of a class: those of its bases, its own, and that of its constructor."""
    written = [base.__doc__ for base in reversed(kind.__mro__) if base.__module__.startswith("pinnlab.")]
    parsed = [docstring_parser.parse(text or "").params for text in (*written, kind.__init__.__doc__)]
    return {one.arg_name: " ".join((one.description or "").split()) for texts in parsed for one in texts}


def printed(*words: str) -> str:
    """What a command prints.

    Raises:
        RuntimeError: if it fails.
    """
    from pinnlab.cli import main

    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            status = main(words)
        except SystemExit as end:
            status = end.code
    if status:
        raise RuntimeError(f"{words} ended with {status}")
    return out.getvalue()
