"""`equations`: the catalogue, read from the source files, so that torch is not imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pinnlab
from pinnlab.commands.arguments import Arguments

SHIPPED = Path(pinnlab.__file__).parent / "problems"


@dataclass(frozen=True)
class Entry:
    """An equation as its source tells it.

    Attributes:
        name: The class.
        summary: The first line of its docstring.
        inputs: Names of its inputs.
        outputs: Names of its outputs.
        options: The arguments that it takes, with defaults.
        exact: Whether its exact solution is known.
        file: Where it is.
    """

    name: str
    summary: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: str
    exact: bool
    file: Path


def main(command: str, arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Arguments(command, "The equations that ship; your own are used by their path, as file.Class.")
    parser.parse_args(arguments)
    for entry in entries(SHIPPED):
        solved = "exact solution known" if entry.exact else "no exact solution"
        print(f"{entry.name}({entry.options})")
        print(f"    {entry.summary}")
        print(f"    {', '.join(entry.inputs)} -> {', '.join(entry.outputs)}; {solved}; {entry.file.name}\n")
    print("A new one: python -m pinnlab new-equation NAME")
    return 0


def entries(folder: Path) -> Iterator[Entry]:
    """The public equations of all files below a folder, in the order of files and lines."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                names = _names(node)
                if {"inputs", "outputs"} <= names.keys():
                    yield _entry(node, names, file)


def _entry(node: ast.ClassDef, names: dict[str, tuple[str, ...]], file: Path) -> Entry:
    methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
    summary = (ast.get_docstring(node) or "").partition("\n")[0]
    options = _options(methods["__init__"]) if "__init__" in methods else ""
    return Entry(node.name, summary, names["inputs"], names["outputs"], options, "exact" in methods, file)


def _names(node: ast.ClassDef) -> dict[str, tuple[str, ...]]:
    """The tuples of strings that a class body assigns, by name; `inputs, outputs = ("x",), ("u",)` too."""
    found: dict[str, tuple[str, ...]] = {}
    for item in node.body:
        if not isinstance(item, ast.Assign):
            continue
        target, value = item.targets[0], item.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        for one, other in pairs:
            if isinstance(one, ast.Name) and isinstance(other, ast.Tuple):
                literals = [part.value for part in other.elts if isinstance(part, ast.Constant)]
                found[one.id] = tuple(str(literal) for literal in literals)
    return found


def _options(init: ast.FunctionDef) -> str:
    arguments = init.args.args[1:]
    defaults: list[ast.expr | None] = [None] * (len(arguments) - len(init.args.defaults))
    defaults += init.args.defaults
    return ", ".join(
        argument.arg + (f"={ast.unparse(default)}" if default is not None else "")
        for argument, default in zip(arguments, defaults, strict=True)
    )
