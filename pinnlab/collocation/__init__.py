"""Collocation points: samplers and adaptive refinement; the Lightning data module is in `.datamodule`."""

from typing import TYPE_CHECKING, Any

from pinnlab.collocation.adaptive import residual_adaptive
from pinnlab.collocation.samplers import Clustered, Grid, Halton, LatinHypercube, Sampler, Sobol, Uniform
from pinnlab.renamed import former

__all__ = ["Clustered", "Grid", "Halton", "LatinHypercube", "Sampler", "Sobol", "Uniform", "residual_adaptive"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The classes and functions of this module under their former names."""
        return former(__name__, name)
