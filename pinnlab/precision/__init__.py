"""Double-double numbers as torch tensors: twice the digits of float64 through the same code."""

from pinnlab.precision.tensor import DoubleDouble, doubled, unsupported

__all__ = ["DoubleDouble", "doubled", "unsupported"]
