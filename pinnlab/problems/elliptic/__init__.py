"""Elliptic equations: steady fields."""
