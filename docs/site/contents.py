"""The table of contents: every page of docs/ by its folder, whatever pages there are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from docutils import nodes
from sphinx.application import Sphinx

FOLDERS = {"notebooks": "Notebooks", "how-to": "How to", "explanation": "Explanation"}
"""The captions of folders in their order; another folder comes after them, by its own name."""
APART = {"site", "reference", "catalogue"}
"""Folders that have no pages, or places of their own."""
_EQUATION = re.compile(r"\[(\w+)\]\((\w+)\.md\)")
_SHORT = 12
"""Characters of a cell that is not broken."""


def add_contents(app: Sphinx, docname: str, source: list[str]) -> None:
    """Appends a hidden table of contents to the front page, and to the page of the catalogue."""
    if docname == app.config.root_doc:
        source[0] += "\n" + front(app.env.found_docs)
    elif docname == "docs/catalogue/README":
        source[0] += "\n" + tree("", [f"{name} <{page}>" for name, page in _EQUATION.findall(source[0])])


def front(pages: set[str]) -> str:
    """The tables of contents of the front page, one for each kind of page."""
    folders = {page.split("/")[1] for page in pages if page.startswith("docs/") and page.count("/") > 1} - APART
    first = {"docs/tutorial", "docs/glossary"} & pages
    start = [page for page in pages if page.startswith("docs/") and page.count("/") == 1]
    parts = [tree("Start", [*sorted(first - {"docs/glossary"}), *sorted(set(start) - first)])]
    for folder in [*(name for name in FOLDERS if name in folders), *sorted(folders - FOLDERS.keys())]:
        caption = FOLDERS.get(folder, folder.replace("-", " ").capitalize())
        parts.append(tree(caption, ordered(page for page in pages if page.startswith(f"docs/{folder}/"))))
    reference = ["docs/reference/api", "docs/reference/command-line", "docs/reference/configuration"]
    parts.append(tree("Reference", [*reference, *sorted(first & {"docs/glossary"})]))
    parts.append(tree("Catalogue", ["docs/catalogue/README"]))
    others = {page for page in pages if not page.startswith("docs/")} - {"README"}
    return "\n".join([*parts, tree("Project", ordered(others))])


def ordered(pages: Iterable[str]) -> list[str]:
    """Pages by name, a README or first steps first."""
    return sorted(pages, key=lambda page: (page.rpartition("/")[2] not in ("README", "first_steps"), page))


def tree(caption: str, pages: Iterable[str]) -> str:
    """A hidden table of contents."""
    return "\n".join(["```{toctree}", ":hidden:", *([f":caption: {caption}"] if caption else []), *pages, "```", ""])


def mark_short(app: Sphinx, document: nodes.document) -> None:
    """Marks short cells of tables, whose numbers are not broken at their signs."""
    for entry in document.findall(nodes.entry):
        if len(entry.astext()) <= _SHORT:
            entry["classes"].append("short")


def load_late(app: Sphinx, document: nodes.document) -> None:
    """Lets a browser load pictures when they come into view."""
    for image in document.findall(nodes.image):
        image["loading"] = "lazy"


def setup(app: Sphinx) -> dict[str, bool]:
    """Adds the tables of contents to pages as they are read."""
    app.connect("source-read", add_contents)
    app.connect("doctree-read", mark_short)
    app.connect("doctree-read", load_late)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
