"""Solutions: solved for, loaded, evaluated, and exported."""

from pinnlab.solution.solution import Solution, load, solve

__all__ = ["Solution", "load", "solve"]
