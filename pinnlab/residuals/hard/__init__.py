"""Conditions of an equation that are built into its network."""
