"""Initial value problems: dynamics in time."""
