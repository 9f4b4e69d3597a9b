"""Solutions: solved for, loaded, evaluated, and exported."""

from pinnlab.solution.loading import load
from pinnlab.solution.solution import Solution
from pinnlab.solution.solving import solve

__all__ = ["Solution", "load", "solve"]
