"""Equations: what one is built from; those that ship are in `pinnlab.problems`."""

from typing import TYPE_CHECKING, Any

from pinnlab.equations.base import Equation
from pinnlab.equations.constraints import Constraint, Whole
from pinnlab.equations.inputs import Vector
from pinnlab.equations.periodic import bloch, periodic
from pinnlab.equations.places import Shift
from pinnlab.equations.table import Table
from pinnlab.equations.unknowns import Unknown
from pinnlab.renamed import former

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


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The equations that ship, under their former names."""
        return former(__name__, name)
