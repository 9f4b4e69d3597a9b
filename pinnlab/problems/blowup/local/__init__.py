"""Profiles of local equations."""
