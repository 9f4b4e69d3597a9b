"""Runs side by side: tables, curves and a page."""

from pinnlab.reporting.comparison.comparison import Comparison
from pinnlab.reporting.comparison.speedups import Speedup

__all__ = ["Comparison", "Speedup"]
