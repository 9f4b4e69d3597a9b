"""What ships: equations with their sources, groups and configurations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pinnlab.commands.catalogue import entries as shipped
from pinnlab.commands.catalogue.page import configurations

ROOT = Path(__file__).parents[2]
CONFIGS, PAGES = ROOT / "configs", ROOT / "docs" / "catalogue"
BY_HAND = "_by_hand"
"""The end of the name of a configuration whose settings were made for one equation."""


@dataclass(frozen=True)
class Entry:
    """An equation of the catalogue.

    Attributes:
        equation: What its source tells.
        titles: Of its group and of the groups around that, the outermost first.
        configurations: Those of solves to a tolerance, the plainest first; then those of trainings by hand.
    """

    equation: shipped.Entry
    titles: tuple[str, ...]
    configurations: tuple[Path, ...]

    @property
    def name(self) -> str:
        """The name of its page."""
        return self.equation.file.stem

    @property
    def solves(self) -> tuple[Path, ...]:
        """The configurations of solves to a tolerance that are not made by hand."""
        return tuple(path for path in self.configurations if "tol" in content(path) and path not in self.by_hand)

    @property
    def by_hand(self) -> tuple[Path, ...]:
        """The configurations of trainings by hand, and of solves with numbers that were chosen for this equation."""
        return tuple(path for path in self.configurations if path.stem.endswith(BY_HAND) or "tol" not in content(path))

    @property
    def measured(self) -> tuple[Path, ...]:
        """The configurations that are measured: all solves, or where there is none the first training by hand."""
        return self.solves or self.configurations[:1]

    @property
    def document(self) -> str:
        """The docstring of the class without its example."""
        return self.equation.text.partition("\nExample:")[0].strip()

    @property
    def title(self) -> str:
        """The first line of its module, without the full stop."""
        return self.equation.title.rstrip(".")


def entries() -> list[Entry]:
    """All equations by groups; members of a group come before those of its subgroups."""
    titles = shipped.titles(shipped.SHIPPED)
    found = []
    for equation in shipped.entries(shipped.SHIPPED):
        parts = equation.group.split("/")
        around = tuple(titles["/".join(parts[:depth])] for depth in range(1, len(parts) + 1))
        paths = [path for path in configurations(equation.name, CONFIGS) if path.parent.name != "sweeps"]
        paths.sort(key=lambda path: ("tol" not in content(path), len(content(path)), path))
        found.append(Entry(equation, around, tuple(paths)))
    return sorted(found, key=lambda entry: (entry.equation.group.split("/")[0], len(entry.titles), entry.equation.file))


def content(path: Path) -> dict[str, Any]:
    """A configuration as it is written."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found
