"""Waves: hyperbolic and dispersive equations."""
