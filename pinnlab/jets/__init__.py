"""Truncated multivariate Taylor series of batches, and the torch functions that act on them."""

from pinnlab.jets import rules  # noqa: F401  (registers the rules of torch functions)
from pinnlab.jets.field import Field
from pinnlab.jets.implicit_functions import implicit
from pinnlab.jets.jet import Jet, rule
from pinnlab.jets.probe import Probe
from pinnlab.jets.series.algebra import Algebra, IndexSet, MultiIndex
from pinnlab.jets.series.collapsed import Collapsed

__all__ = ["Algebra", "Collapsed", "Field", "IndexSet", "Jet", "MultiIndex", "Probe", "implicit", "rule"]
