"""Elementary regions."""
