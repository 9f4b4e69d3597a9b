"""pinnlab.jets."""
