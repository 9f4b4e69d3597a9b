"""Writes the pages of the reference: the packages, the command line, the configuration."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sphinx.pycode import ModuleAnalyzer

PACKAGES = (
    "pinnlab", "pinnlab.equations", "pinnlab.problems", "pinnlab.geometry", "pinnlab.data", "pinnlab.operators",
    "pinnlab.strategy", "pinnlab.networks", "pinnlab.engines", "pinnlab.jets", "pinnlab.training", "pinnlab.residuals",
    "pinnlab.residuals.balancing", "pinnlab.collocation", "pinnlab.optimisers", "pinnlab.precision",
    "pinnlab.reporting.comparison", "pinnlab.reporting.figures", "pinnlab.errors",
)  # fmt: skip
"""The packages whose names are for use from outside."""


def write(folder: Path) -> None:
    """Writes all pages of the API into a folder."""
    (folder / "api").mkdir(parents=True)
    (folder / "api.rst").write_text(index(), encoding="utf-8")
    for name in PACKAGES:
        (folder / "api" / f"{name}.rst").write_text(package(import_module(name)), encoding="utf-8")


def index() -> str:
    """The page that lists the packages."""
    lines = [title("API"), "What a program imports from where. Other names may change without notice.", ""]
    lines += [".. list-table::", "   :widths: 35 65", ""]
    for name in PACKAGES:
        first = (import_module(name).__doc__ or "").partition("\n")[0]
        lines += [f"   * - :doc:`{name} <api/{name}>`", f"     - {first}"]
    lines += [
        "",
        ".. toctree::",
        "   :hidden:",
        "",
        *(f"   {name.removeprefix('pinnlab.')} <api/{name}>" for name in PACKAGES),
        "",
    ]
    return "\n".join(lines)


def package(module: ModuleType) -> str:
    """The page of a package: what it is, a table of its names, and each of them in full."""
    names = offered(module)
    parts = [title(module.__name__), f".. automodule:: {module.__name__}\n   :no-members:\n"]
    parts.append(f".. currentmodule:: {module.__name__}\n")
    described = {name: (_alias if _is_alias(getattr(module, name)) else _object)(module, name) for name in names}
    listed = [name for name in names if not _is_alias(getattr(module, name))]
    parts.append(".. autosummary::\n   :nosignatures:\n\n" + "\n".join(f"   {name}" for name in listed) + "\n")
    return "\n".join([*parts, *described.values()])


def offered(module: ModuleType) -> list[str]:
    """The names that a package writes out, or those that a module defines, in the order of the alphabet."""
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    return sorted(name for name in getattr(module, "__all__", own) if not name.startswith("_"))


def _is_alias(value: object) -> bool:
    """Whether it is another name of a type, such as that of dictionaries of columns."""
    return not (inspect.isclass(value) or inspect.isfunction(value)) or "GenericAlias" in type(value).__name__


def _object(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    kind = "autofunction" if inspect.isfunction(value) else "autoexception" if _is_error(value) else "autoclass"
    text = f".. {kind}:: {name}\n"
    if inspect.isclass(value) and value.__bases__ != (object,):
        text += "   :show-inheritance:\n"
    if module.__name__ != "pinnlab.problems":
        return text
    # its page in the catalogue has all of its code
    page = f"/docs/catalogue/{Path(inspect.getfile(value)).stem}"
    return f"{text}   :no-members:\n\n   :doc:`Its page in the catalogue <{page}>`\n"


def _is_error(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Exception)


def _alias(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    lines = [f".. py:data:: {name}", f"   :value: {value}".replace("collections.abc.", ""), ""]
    return "\n".join([*lines, *(f"   {line}".rstrip() for line in _written_below(module.__name__, name)), ""])


def _written_below(package: str, name: str) -> list[str]:
    """The lines of the docstring that stands below a variable, in the module of the package that defines it."""
    from docstrings import rest

    folder = Path(inspect.getfile(import_module(package))).parent
    for path in sorted(folder.rglob("*.py")):
        inner = path.relative_to(folder).with_suffix("").parts
        found = ModuleAnalyzer.for_module(".".join((package, *inner)).removesuffix(".__init__")).find_attr_docs()
        if ("", name) in found:
            return rest(found["", name])
    return []


def title(text: str, line: str = "=") -> str:
    """A heading."""
    return f"{text}\n{line * len(text)}\n"
