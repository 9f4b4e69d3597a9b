"""Derivatives of residual rows with respect to weights and unknowns."""
