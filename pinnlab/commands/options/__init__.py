"""Options: reading configurations and the command line, and messages about mistakes in them."""
