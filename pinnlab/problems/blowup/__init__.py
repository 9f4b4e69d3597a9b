"""Self-similar profiles of blow-up."""
