"""pinnlab.residuals."""
