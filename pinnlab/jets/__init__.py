"""Truncated multivariate Taylor series of batches, and the torch functions that act on them."""

from pinnlab.jets import activations, arithmetic, piecewise, structure  # noqa: F401  (registers the rules of torch functions)
from pinnlab.jets.algebra import Algebra, IndexSet, MultiIndex
from pinnlab.jets.collapsed import Collapsed
from pinnlab.jets.field import Field
from pinnlab.jets.jet import Jet, rule
from pinnlab.jets.probe import Probe

__all__ = ["Algebra", "Collapsed", "Field", "IndexSet", "Jet", "MultiIndex", "Probe", "rule"]
