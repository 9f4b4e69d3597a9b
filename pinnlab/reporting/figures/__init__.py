"""Figures of a run, and of a solution."""

from pinnlab.reporting.figures.drawing import draw_all, draw_profile, picture, read
from pinnlab.reporting.figures.panels import FIGURES, Figure, Panel, Record
from pinnlab.reporting.figures.space.regions import plot_region

__all__ = [
    "FIGURES",
    "Figure",
    "Panel",
    "Record",
    "draw_all",
    "draw_profile",
    "picture",
    "plot_region",
    "read",
]
