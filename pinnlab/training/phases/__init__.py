"""Phases: a training run is a list of optimisers, each with a number of steps and rules for stopping earlier."""

from pinnlab.training.phases.adam import Adam
from pinnlab.training.phases.base import Phase, Stall
from pinnlab.training.phases.gauss_newton import GaussNewton
from pinnlab.training.phases.lbfgs import LBFGS
from pinnlab.training.phases.self_scaled import SSBFGS, SSBroyden

__all__ = ["LBFGS", "SSBFGS", "Adam", "GaussNewton", "Phase", "SSBroyden", "Stall"]
