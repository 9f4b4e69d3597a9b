"""`new-equation`: the file of an equation, a configuration and a test to start from."""

from __future__ import annotations

import keyword
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from pinnlab.commands.arguments import Arguments
from pinnlab.commands.catalogue.copying import copied
from pinnlab.commands.catalogue.entries import SHIPPED, entries
from pinnlab.commands.catalogue.search import named, nearest
from pinnlab.commands.templates import CONFIG, EQUATION, TEST, TOLERANCE, test_of_copy
from pinnlab.errors import UserError


def main(command: str, arguments: Sequence[str]) -> int:
    """Run the command.

    Raises:
        UserError: if the name is no class name, a file exists, or no equation is called like the one to copy.
    """
    parser = Arguments(command, "Write an equation, its configuration and its test, to start from.")
    parser.add_argument("name", metavar="NAME", help="the class, such as HeatEquation: files are heat_equation.*")
    parser.add_argument("--folder", type=Path, default=Path(), help="where to write; here by default")
    parser.add_argument("--like", metavar="EQUATION", help="one that ships, to copy: python -m pinnlab equations")
    options = parser.parse_args(arguments)
    paths = write(options.name, options.folder, options.like)
    for path in paths:
        print(path)
    there = "" if options.folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(options.folder))} && "
    print(f"next: {there}python -m pinnlab fit --model.equation {paths[0].stem}.{options.name} --tol 1e-6")
    return 0


def write(name: str, folder: Path, like: str | None = None) -> list[Path]:
    """Write the three files.

    Args:
        name: The class.
        folder: Where to write.
        like: An equation of the catalogue to copy, by class or by file; an example of one input by default.

    Returns:
        Their paths.

    Raises:
        UserError: if the name is no class name, a file exists, or no equation is called like the one to copy.
    """
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) or keyword.iskeyword(name):
        raise UserError(f"{name!r} is no class name: write it like HeatEquation")
    file = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    texts = _example(name, file) if like is None else _copy(name, file, like)
    paths = [folder / path for path in (f"{file}.py", f"{file}.yaml", f"test_{file}.py")]
    for path in paths:
        if path.exists():
            raise UserError(f"{path} exists: choose another name or folder")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def _example(name: str, file: str) -> tuple[str, str, str]:
    """The texts of the equation to replace, its configuration and its test."""
    equation, config, test = (text.substitute(name=name, file=file) for text in (EQUATION, CONFIG, TEST))
    return equation, config, test


def _copy(name: str, file: str, like: str) -> tuple[str, str, str]:
    """The same of an equation of the catalogue.

    Raises:
        UserError: if there is none of this name.
    """
    shipped = list(entries(SHIPPED))
    entry = named(like, shipped)
    if entry is None:
        near = nearest(like, shipped)
        advice = f" (did you mean {' or '.join(near)}?)" if near else ""
        raise UserError(f"no equation {like!r} ships{advice}; python -m pinnlab equations lists them all")
    config = TOLERANCE.substitute(name=name, file=file)
    return copied(entry, name), config, test_of_copy(name, file, entry.truth)
