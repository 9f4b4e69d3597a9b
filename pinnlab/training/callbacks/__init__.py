"""What is called between the steps of a run: checkpoints, progress, signals, points that follow the residual."""

from pinnlab.training.callbacks.adaptation import ResidualAdaptive

__all__ = ["ResidualAdaptive"]
