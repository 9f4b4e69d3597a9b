"""Training: phases of optimisers, and the LightningModule that runs them."""

from pinnlab.training.phases import LBFGS, SSBFGS, Adam, GaussNewton, Phase, SSBroyden, Stall

__all__ = ["LBFGS", "SSBFGS", "Adam", "GaussNewton", "Phase", "SSBroyden", "Stall"]
