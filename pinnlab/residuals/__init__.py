"""Residual blocks and their Sobolev weightings."""

from pinnlab.residuals.residuals import Residuals
from pinnlab.residuals.sobolev import Geometric, Only, Sobolev, Taylor, Weights

__all__ = ["Geometric", "Only", "Residuals", "Sobolev", "Taylor", "Weights"]
