"""Solves with given features: their points, and what came of them."""
