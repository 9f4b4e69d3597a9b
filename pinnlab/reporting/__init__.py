"""pinnlab.reporting."""
