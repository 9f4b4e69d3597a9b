"""The record of a run: rows, summary, solution, points and telemetry."""
