"""The parts of an equation; the equations of the catalogue are in `pinnlab.problems`."""

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
        """The equations of the catalogue under their former names in this package."""
        return former(__name__, name)
