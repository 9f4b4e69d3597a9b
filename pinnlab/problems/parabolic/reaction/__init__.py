"""Reaction and diffusion: fronts, patterns and phases that separate."""
