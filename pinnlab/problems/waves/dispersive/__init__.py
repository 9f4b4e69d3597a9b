"""Dispersive equations: waves of different lengths travel at different speeds, and solitons keep their shape."""
