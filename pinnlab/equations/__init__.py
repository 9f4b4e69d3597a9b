"""Equations: what ships, and what a new one is built from."""

from pinnlab.equations.base import Constraint, Equation, Vector
from pinnlab.equations.self_similar_burgers import SelfSimilarBurgers
from pinnlab.equations.unknowns import Unknown

__all__ = ["Constraint", "Equation", "SelfSimilarBurgers", "Unknown", "Vector"]
