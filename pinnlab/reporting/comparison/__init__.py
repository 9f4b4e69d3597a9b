"""Runs side by side: tables, curves and a page."""

from pinnlab.reporting.comparison.comparison import Comparison, Speedup

__all__ = ["Comparison", "Speedup"]
