"""pinnlab.engines."""
