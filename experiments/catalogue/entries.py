"""What ships: equations with their sources, groups and configurations."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

import pinnlab.problems
from pinnlab.equations import Equation

ROOT = Path(__file__).parents[2]
CONFIGS, PAGES = ROOT / "configs", ROOT / "docs" / "catalogue"


@dataclass(frozen=True)
class Entry:
    """An equation of the catalogue.

    Attributes:
        kind: Its class.
        file: Its source.
        titles: Of its group and of the groups around that, the outermost first.
        configurations: Those of solves to a tolerance, the plainest first; then those of trainings by hand.
    """

    kind: type[Equation]
    file: Path
    titles: tuple[str, ...]
    configurations: tuple[Path, ...]

    @property
    def name(self) -> str:
        """The name of its page."""
        return self.file.stem

    @property
    def solves(self) -> tuple[Path, ...]:
        """The configurations of solves to a tolerance."""
        return tuple(path for path in self.configurations if "tol" in content(path))

    @property
    def measured(self) -> tuple[Path, ...]:
        """The configurations that are measured: all solves, or where there is none the first training by hand."""
        return self.solves or self.configurations[:1]

    @property
    def document(self) -> str:
        """The docstring of the class without its example."""
        return (inspect.getdoc(self.kind) or "").partition("\nExample:")[0].strip()

    @property
    def title(self) -> str:
        """The first line of its module, without the full stop."""
        return (
            (ast.get_docstring(ast.parse(self.file.read_text(encoding="utf-8"))) or "").partition("\n")[0].rstrip(".")
        )


def entries() -> list[Entry]:
    """All equations, in the order of their files."""
    by_class: dict[str, list[Path]] = {}
    for path in sorted(CONFIGS.glob("*/*.yaml")):
        if path.parent.name != "sweeps":
            by_class.setdefault(equation_of(path), []).append(path)
    found = []
    for name in pinnlab.problems.__all__:
        kind = getattr(pinnlab.problems, name)
        file = Path(inspect.getfile(kind))
        paths = sorted(by_class.get(name, []), key=lambda path: ("tol" not in content(path), len(content(path)), path))
        found.append(Entry(kind, file, tuple(titles(kind)), tuple(paths)))
    # members of a group come before those of its subgroups
    return sorted(found, key=lambda entry: (entry.kind.__module__.split(".")[2], len(entry.titles), entry.file))


def titles(kind: type[Equation]) -> Iterator[str]:
    """The titles of the folders of a class, from the outermost on."""
    parts = kind.__module__.split(".")
    for end in range(3, len(parts)):
        yield (import_module(".".join(parts[:end])).__doc__ or "").partition("\n")[0].rstrip(".")


def equation_of(path: Path) -> str:
    """The class that a configuration names, here or in the one that it is based on."""
    equation = content(path).get("model", {}).get("equation")
    if equation is None or (isinstance(equation, dict) and "class_path" not in equation):
        return equation_of(path.parent / content(path)["base"])
    return str(equation["class_path"] if isinstance(equation, dict) else equation).rpartition(".")[2]


def content(path: Path) -> dict[str, Any]:
    """A configuration as it is written."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found
