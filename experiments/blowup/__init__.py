"""Self-similar blow-up profiles: their unknown numbers with intervals."""
