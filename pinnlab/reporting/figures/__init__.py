"""Figures of a run."""

from pinnlab.reporting.figures.drawing import draw_all, draw_profile, read

__all__ = ["draw_all", "draw_profile", "read"]
