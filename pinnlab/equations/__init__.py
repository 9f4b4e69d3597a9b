"""Equations: what one is built from; those that ship are in `pinnlab.problems`."""

from importlib import import_module
from typing import Any

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint, Whole
from pinnlab.equations.inputs import Vector
from pinnlab.equations.periodic import bloch, periodic
from pinnlab.equations.places import Shift
from pinnlab.equations.table import Table
from pinnlab.equations.unknowns import Unknown
from pinnlab.renamed import renamed

__all__ = [
    "Constraint",
    "Equation",
    "Shift",
    "Table",
    "Unknown",
    "Vector",
    "Whole",
    "bloch",
    "periodic",
]


def __getattr__(name: str) -> Any:
    """Equations that ship, under their former names."""
    module, _, found = renamed(path := f"{__name__}.{name}").rpartition(".")
    if f"{module}.{found}" == path:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module), found)
