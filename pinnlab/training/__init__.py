"""Training: phases of optimisers, and the LightningModule that runs them."""

from pinnlab.training.broyden import SSBFGS, SSBroyden
from pinnlab.training.gauss_newton import GaussNewton
from pinnlab.training.phases import LBFGS, Adam, Phase, Stall

__all__ = ["LBFGS", "SSBFGS", "Adam", "GaussNewton", "Phase", "SSBroyden", "Stall"]
