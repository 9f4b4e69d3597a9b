"""A former place, kept for one release: configurations of earlier runs have its name."""

import logging

from pinnlab.training.callbacks.adaptation import ResidualAdaptive

__all__ = ["ResidualAdaptive"]

logging.getLogger("pinnlab").warning(
    "pinnlab: %s is an old name: write pinnlab.training.callbacks.ResidualAdaptive", __name__
)
