"""Equations: what ships, and what a new one is built from."""

from pinnlab.equations.base import Equation
from pinnlab.equations.blasius import Blasius
from pinnlab.equations.burgers import ViscousBurgers
from pinnlab.equations.constraints import Constraint, Whole
from pinnlab.equations.inputs import Vector
from pinnlab.equations.periodic import bloch, periodic
from pinnlab.equations.places import Shift
from pinnlab.equations.poisson import Poisson
from pinnlab.equations.self_similar_burgers import SelfSimilarBurgers
from pinnlab.equations.table import Table
from pinnlab.equations.unknowns import Unknown

__all__ = [
    "Blasius",
    "Constraint",
    "Equation",
    "Poisson",
    "SelfSimilarBurgers",
    "Shift",
    "Table",
    "Unknown",
    "Vector",
    "ViscousBurgers",
    "Whole",
    "bloch",
    "periodic",
]
