"""pinnlab.collocation."""
