"""The source of an equation of the catalogue, rewritten as a file of one's own."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from pinnlab.commands.catalogue.entries import Entry
from pinnlab.errors import UserError

_PACKAGE = Path(__file__).parents[2]


def copied(entry: Entry, name: str) -> str:
    """The file of an equation with its class under another name, and with the imports of a file of one's own.

    The rest of the file stays: helpers, the reference, comments.

    Args:
        entry: The equation.
        name: Its new name.

    Raises:
        UserError: if the file uses this name for something else.
    """
    source = entry.file.read_text(encoding="utf-8")
    used = {token.string for token in _tokens(source) if token.type == tokenize.NAME}
    if name in used - {entry.name}:
        raise UserError(f"{entry.name} uses the name {name!r} already: choose another one")
    text = _with_public_imports(_renamed(source, entry.name, name))
    title = f'"""{name}: a copy of {entry.name} to change.\n\n{entry.title}\n"""'
    return title + text[text.index('"""', 3) + 3 :]


def _renamed(source: str, old: str, new: str) -> str:
    """The source with a class renamed: where code names it, in examples, and in quotes of the kind `Class`."""
    lines = source.splitlines(keepends=True)
    for token in reversed(list(_tokens(source))):
        row, start = token.start
        if token.type == tokenize.NAME and token.string == old:
            line = lines[row - 1]
            lines[row - 1] = line[:start] + new + line[start + len(old) :]
    text = "".join(lines)
    text = re.sub(rf"`{old}`", f"`{new}`", text)
    return re.sub(r"^ *(>>>|\.\.\.) .*$", lambda line: re.sub(rf"\b{old}\b", new, line[0]), text, flags=re.MULTILINE)


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(source).readline)


def _with_public_imports(source: str) -> str:
    """The source with its imports as others write them: pinnlab is one library of several."""
    statements = [node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    libraries = [node for node in statements if _module(node).split(".")[0] not in (*sys.stdlib_module_names, "")]
    parts = [node for node in libraries if isinstance(node, ast.ImportFrom)]
    wanted: dict[str, list[str]] = {}
    for node in parts:
        for alias in node.names:
            wanted.setdefault(_home(_module(node), alias.name), []).append(ast.unparse(alias))
    new = [f"from {module} import {', '.join(sorted(names, key=_rank))}\n" for module, names in sorted(wanted.items())]
    whole = [node.end_lineno or node.lineno for node in libraries if isinstance(node, ast.Import)]
    lines = source.splitlines(keepends=True)
    # the linter keeps imports of libraries together, those of whole modules first
    lines[(whole or [parts[0].lineno - 1])[-1] : parts[-1].end_lineno] = new
    return "".join(lines)


def _module(node: ast.Import | ast.ImportFrom) -> str:
    return (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name


def _rank(name: str) -> tuple[int, str]:
    """Constants, classes and functions, each by name."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2), name


def _home(module: str, name: str) -> str:
    """The package nearest to the top that offers a name of a module; the module itself if none does."""
    parts = module.split(".") if module.startswith("pinnlab.") else []
    packages = (parts[:depth] for depth in range(1, len(parts)))
    return next((".".join(package) for package in packages if name in _offered(package)), module)


def _offered(package: list[str]) -> list[str]:
    """The names in a package's `__all__`, where it writes one out."""
    file = _PACKAGE.joinpath(*package[1:], "__init__.py")
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "__all__"
            and isinstance(node.value, ast.List)
        ):
            return [str(ast.literal_eval(item)) for item in node.value.elts]
    return []
