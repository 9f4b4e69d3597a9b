"""A former place, kept for one release: configurations of earlier runs have its name."""

import logging

from pinnlab.training.phases.self_scaled import SSBFGS, SSBroyden

__all__ = ["SSBFGS", "SSBroyden"]

logging.getLogger("pinnlab").warning("pinnlab: %s is an old name: write pinnlab.training.SSBroyden", __name__)
