"""A former place, kept for one release: configurations of earlier runs have its name."""

import logging

from pinnlab.training.phases.gauss_newton import GaussNewton

__all__ = ["GaussNewton"]

logging.getLogger("pinnlab").warning("pinnlab: %s is an old name: write pinnlab.training.GaussNewton", __name__)
