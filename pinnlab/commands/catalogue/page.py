"""What `equations` prints: the catalogue by groups, and all of one equation."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pinnlab.commands.catalogue.entries import Entry
from pinnlab.commands.options.configuration import merge, read_chain
from pinnlab.commands.options.shipped import CONFIGS
from pinnlab.errors import UserError

WIDTH = 100
"""The columns of a page."""

_OWN = Path("configs")
_TRUTH = {"exact": "exact solution known", "reference": "reference", None: "no truth"}


def overview(found: Sequence[Entry], titles: Mapping[str, str]) -> Iterator[str]:
    """The lines of the equations in their groups, each with its title as heading.

    Args:
        found: The equations, those of a group one after another.
        titles: The titles of groups.
    """
    for group, members in groupby(found, key=lambda entry: entry.group):
        heading = f"{titles[group]} ({group})"
        yield from (heading, "-" * len(heading), "")
        for entry in members:
            yield from textwrap.wrap(f"{entry.name}({entry.options})", WIDTH, subsequent_indent="        ")
            for line in (entry.summary, _properties(entry, entry.file.name)):
                yield from textwrap.wrap(line, WIDTH, initial_indent="    ", subsequent_indent="    ")
            yield ""


def details(entry: Entry) -> Iterator[str]:
    """The lines of one equation: its whole docstring, and the commands to run it.

    They name its configurations in `configs/` of the current folder and those that ship.

    Args:
        entry: The equation.
    """
    yield from textwrap.wrap(f"{entry.name}({entry.options})", WIDTH, subsequent_indent="        ")
    yield from ("", *_filled(entry.text), "")
    yield from textwrap.wrap(_properties(entry, str(entry.file)), WIDTH, break_long_words=False)
    yield ""
    yield f"python -m pinnlab fit --model.equation {entry.name} --tol 1e-6"
    found = (path.relative_to(folder) for folder in (_OWN, CONFIGS) for path in configurations(entry.name, folder))
    for path in dict.fromkeys(found):
        yield f"python -m pinnlab fit --config {(_OWN / path).as_posix()}"
    yield f"python -m pinnlab new-equation My{entry.name} --like {entry.name}"


def configurations(name: str, folder: Path) -> list[Path]:
    """The configurations below a folder that are of an equation of the catalogue, in the order of their names.

    Files that are no configuration, or a broken one, are left out.
    """
    return [path for path in sorted(folder.rglob("*.yaml")) if _equation(path) in (name, f"pinnlab.problems.{name}")]


def _equation(path: Path) -> Any:
    """The class path of the equation that a configuration or one of its bases names; None if there is none."""
    content: dict[str, Any] = {}
    try:
        for part in read_chain(path):
            content = merge(content, part)
    except UserError:
        return None
    model = content.get("model")
    equation = model.get("equation") if isinstance(model, dict) else None
    return equation.get("class_path") if isinstance(equation, dict) else equation


def _properties(entry: Entry, file: str) -> str:
    names = f"{', '.join(entry.inputs)} -> {', '.join(entry.outputs)}"
    return f"{names}; order {entry.order}; {_TRUTH[entry.truth]}; {file}"


def _filled(text: str) -> Iterator[str]:
    """The lines of a docstring: paragraphs filled anew, indented parts as they are."""
    for number, part in enumerate(text.split("\n\n")):
        lines = part.split("\n")
        yield from [""] if number else []
        yield from lines if any(line.startswith(" ") for line in lines) else textwrap.wrap(part, WIDTH)
