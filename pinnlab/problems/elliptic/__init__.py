"""Elliptic equations."""
