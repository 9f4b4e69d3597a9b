"""The catalogue: one file for each equation, with its exact solution or a reference.

Every equation in the folders below is found by its file and offered here by its name: a new one is one new file.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING

from pinnlab.equations import Equation

if TYPE_CHECKING:

    def __getattr__(name: str) -> type[Equation]: ...


def _catalogue() -> dict[str, type[Equation]]:
    """The equations of all files in the folders, by name."""
    modules = [import_module(found.name) for found in walk_packages(__path__, f"{__name__}.") if not found.ispkg]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Equation) and value.__module__ == module.__name__
    }


_found = _catalogue()
globals().update(_found)
__all__ = sorted(_found)
