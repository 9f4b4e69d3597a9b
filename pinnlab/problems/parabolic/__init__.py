"""Parabolic equations."""
