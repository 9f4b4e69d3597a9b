"""Architectures: ordinary networks from inputs to outputs."""
