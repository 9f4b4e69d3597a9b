"""Self-similar profiles of blow-up: by shooting where the equation is local, by a grid in log y where it is not."""
