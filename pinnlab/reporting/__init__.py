"""Run records, tracking and figures."""
