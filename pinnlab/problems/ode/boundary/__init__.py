"""Boundary value problems on an interval."""
