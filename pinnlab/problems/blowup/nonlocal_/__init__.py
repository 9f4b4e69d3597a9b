"""Nonlocal models of fluids on the line, with a Hilbert transform."""
