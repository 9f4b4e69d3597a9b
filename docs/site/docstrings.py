"""Docstrings are plain text with `code` in single backticks; Sphinx reads reStructuredText."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_CODE = re.compile(r"(`[^`]+`)")


def to_rest(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Rewrites the lines of a docstring."""
    lines[:] = rest(lines)


def rest(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText; examples stay as they are.

    A list begins after an empty line there, which docstrings leave out.
    """
    found: list[str] = []
    example = False
    for line in lines:
        example = line.strip() != "" and (example or line.strip().startswith(">>>"))
        before = found[-1] if found else ""
        if not example and _is_item(line) and before.strip() and not _is_item(before) and not _goes_on(before, line):
            found.append("")
        found.append(line if example else "".join(map(_part, _CODE.split(line))))
    return found


def _is_item(line: str) -> bool:
    return line.lstrip().startswith("- ")


def _goes_on(before: str, item: str) -> bool:
    """Whether the line before an item is the rest of another item, which is indented deeper."""
    return len(before) - len(before.lstrip()) > len(item) - len(item.lstrip())


def _part(text: str) -> str:
    """A piece of a line: code between backticks, or prose, whose signs are no markup."""
    if _CODE.fullmatch(text):
        return f"`{text}`"
    text = re.sub(r"[*|]", r"\\\g<0>", text)
    return re.sub(r"(?<=\w)_(?!\w)", r"\\_", text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Rewrites docstrings before their sections are read."""
    app.connect("autodoc-process-docstring", to_rest, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
