"""Recipes that are offered by name."""
