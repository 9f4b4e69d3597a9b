"""Training: phases of optimisers, and the LightningModule that runs them."""

from typing import TYPE_CHECKING, Any

from pinnlab.renamed import former
from pinnlab.training.phases import LBFGS, SSBFGS, Adam, GaussNewton, Phase, Plateau, SSBroyden

__all__ = ["LBFGS", "SSBFGS", "Adam", "GaussNewton", "Phase", "Plateau", "SSBroyden"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The classes of this module under their former names."""
        return former(__name__, name)
