"""`figures`: the figures of runs, drawn again from their records."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

from pinnlab.commands.arguments import Arguments
from pinnlab.commands.options.building import one_line
from pinnlab.errors import UserError
from pinnlab.reporting.comparison.runs import find
from pinnlab.reporting.figures import FIGURES, Figure, draw_all
from pinnlab.reporting.folder import RunFolder

_DESCRIPTION = """\
Draw the figures of runs from their records, without training or evaluating anything: the solution against the exact
one, residual, collocation points, history and cost, as PNG and PDF. With --animate the solution itself is evaluated,
for an animation in time."""


def main(command: str, arguments: Sequence[str]) -> int:
    """Run the command.

    Raises:
        UserError: if there is no such run, or no record holds anything to draw.
    """
    parser = Arguments(command, _DESCRIPTION)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, folders of them, or globs")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write; RUN/figures by default")
    parser.add_argument("--formats", nargs="+", default=["png", "pdf"], choices=["png", "pdf", "svg"])
    parser.add_argument("--add", nargs="+", default=[], metavar="FILE.FUNCTION", help="figures of your own to draw too")
    parser.add_argument("--animate", action="store_true", help="write animation.gif of the solution in time, too")
    options = parser.parse_args(arguments)
    further = _further(options.add)
    paths, drawn = find(options.runs), False
    for path in paths:
        target = path / "figures"
        if options.out is not None:
            target = options.out / path.name if len(paths) > 1 else options.out
        with one_line() if further else nullcontext():
            written = draw_all(RunFolder(path), target, options.formats, further)
            if options.animate:
                from pinnlab.solution import load

                written.append(load(path).animate(path=target / "animation.gif"))
        drawn = drawn or bool(written)
        if written:
            print("\n".join(map(str, written)))
        elif len(paths) > 1:
            print(f"pinnlab: {path}: the record holds nothing to draw yet", file=sys.stderr)
    if not drawn:
        raise UserError(f"{options.runs[-1]}: the record holds nothing to draw yet")
    return 0


def _further(paths: Sequence[str]) -> dict[str, Figure]:
    """The user's own figures by the names of their files.

    Raises:
        UserError: if there is no such function, or there are two figures of a name.
    """
    found: dict[str, Figure] = {}
    for path in paths:
        name = path.rpartition(".")[2]
        if name in FIGURES or name in found:
            raise UserError(f"there is another figure {name!r}: give the function of {path} a name of its own")
        found[name] = _figure(path)
    return found


def _figure(path: str) -> Figure:
    """A figure of the user's own, by its path from the current folder.

    Raises:
        UserError: if there is no such function, or its file fails as it is imported.
    """
    module, _, name = path.rpartition(".")
    try:
        with one_line():
            figure: Figure = getattr(import_module(module), name)
    except UserError as error:
        raise UserError(
            f"there is no figure {path}: {error}; give a function by its file in the current folder, as file.function"
        ) from error
    return figure
