"""Figures of a run."""

from pinnlab.reporting.figures.drawing import draw_all, draw_profile, read
from pinnlab.reporting.figures.panels import Figure, Panel, Record

__all__ = ["Figure", "Panel", "Record", "draw_all", "draw_profile", "read"]
