"""Inverse problems: unknowns of an equation from measurements."""
