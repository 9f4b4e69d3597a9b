"""Phases: a training run is a list of optimisers, each with a number of steps and rules for stopping earlier."""

from typing import TYPE_CHECKING, Any

from pinnlab.renamed import former
from pinnlab.training.phases.adam import Adam
from pinnlab.training.phases.base import Phase, Plateau
from pinnlab.training.phases.gauss_newton import GaussNewton
from pinnlab.training.phases.lbfgs import LBFGS
from pinnlab.training.phases.self_scaled import SSBFGS, SSBroyden

__all__ = ["LBFGS", "SSBFGS", "Adam", "GaussNewton", "Phase", "Plateau", "SSBroyden"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The classes of this module under their former names."""
        return former(__name__, name)
