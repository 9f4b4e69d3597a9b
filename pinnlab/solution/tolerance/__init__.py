"""Solving to a tolerance, its folder, and how it ended."""
