"""What the source of an equation tells of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pinnlab
from pinnlab.commands.catalogue.orders import order

SHIPPED = Path(pinnlab.__file__).parent / "problems"
"""The folder of the catalogue."""


@dataclass(frozen=True)
class Entry:
    """An equation as its source tells it.

    Attributes:
        name: The class.
        title: The first line of its file.
        text: The docstring of the class.
        inputs: Names of its inputs.
        outputs: Names of its outputs.
        dimension: The number of coordinates: inputs, vectors counted with their dimension.
        order: The highest derivative.
        options: The arguments that it takes, with defaults.
        truth: How its true solution is known: "exact" for a formula, "reference" for numbers, or None.
        file: Where it is.
        group: The folder below the catalogue, as `ode/initial`.
    """

    name: str
    title: str
    text: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dimension: int
    order: int
    options: str
    truth: str | None
    file: Path
    group: str

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.text.partition("\n")[0]


def entries(folder: Path) -> Iterator[Entry]:
    """The public equations of all files below a folder, in the order of folders, files and lines.

    Example:
        >>> next(entries(SHIPPED / "waves")).name
        'Advection'
    """
    for file in sorted(folder.rglob("*.py"), key=lambda file: (file.parent, file.name)):
        module = ast.parse(file.read_text(encoding="utf-8"))
        for node in module.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                sizes = _sizes(node)
                if {"inputs", "outputs"} <= sizes.keys():
                    yield _entry(node, module, sizes, file, file.parent.relative_to(folder).as_posix())


def titles(folder: Path) -> dict[str, str]:
    """The titles of all folders below one, by group: the first line of each `__init__.py`.

    Example:
        >>> titles(SHIPPED)["ode/boundary"]
        'Boundary value problems on an interval'
    """
    found = {}
    for file in sorted(folder.rglob("__init__.py")):
        text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        found[file.parent.relative_to(folder).as_posix()] = text.partition("\n")[0].rstrip(".")
    return found


def _entry(node: ast.ClassDef, module: ast.Module, sizes: dict[str, dict[str, int]], file: Path, group: str) -> Entry:
    methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
    return Entry(
        name=node.name,
        title=(ast.get_docstring(module) or "").partition("\n")[0],
        text=ast.get_docstring(node) or "",
        inputs=tuple(sizes["inputs"]),
        outputs=tuple(sizes["outputs"]),
        dimension=sum(sizes["inputs"].values()),
        order=order(node, module),
        options=_options(methods["__init__"]) if "__init__" in methods else "",
        truth=next((name for name in ("exact", "reference") if name in methods), None),
        file=file,
        group=group,
    )


def _sizes(node: ast.ClassDef) -> dict[str, dict[str, int]]:
    """The names in the tuples that a class body assigns, with their dimensions.

    `inputs, outputs = ("x",), ("u",)` is read, too.
    """
    found: dict[str, dict[str, int]] = {}
    for item in node.body:
        if not isinstance(item, ast.Assign):
            continue
        target, value = item.targets[0], item.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        for one, other in pairs:
            if isinstance(one, ast.Name) and isinstance(other, ast.Tuple):
                found[one.id] = dict(_size(part) for part in other.elts)
    return found


def _size(part: ast.expr) -> tuple[str, int]:
    """The name of one input or output and its dimension: that of `Vector("x", 3)` is 3."""
    if isinstance(part, ast.Call):
        name, dimension = (ast.literal_eval(argument) for argument in part.args)
        return str(name), int(dimension)
    return str(ast.literal_eval(part)), 1


def _options(init: ast.FunctionDef) -> str:
    arguments = init.args.args[1:]
    defaults: list[ast.expr | None] = [None] * (len(arguments) - len(init.args.defaults))
    defaults += init.args.defaults
    return ", ".join(
        argument.arg + (f"={ast.unparse(default)}" if default is not None else "")
        for argument, default in zip(arguments, defaults, strict=True)
    )
