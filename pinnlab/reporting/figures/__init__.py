"""Figures of a run."""

from pinnlab.reporting.figures.drawing import draw_all, draw_profile, read
from pinnlab.reporting.figures.panels import FIGURES, Figure, Panel, Record

__all__ = ["FIGURES", "Figure", "Panel", "Record", "draw_all", "draw_profile", "read"]
