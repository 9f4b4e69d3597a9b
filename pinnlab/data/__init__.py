"""Data from files: measurements, and columns of numbers."""

from pinnlab.data.columns import read_columns
from pinnlab.data.measurements import Measurements

__all__ = ["Measurements", "read_columns"]
