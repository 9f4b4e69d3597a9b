"""Dispersive waves: those of different lengths travel at different speeds."""
