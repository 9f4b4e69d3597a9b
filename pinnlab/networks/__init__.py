"""pinnlab.networks."""
