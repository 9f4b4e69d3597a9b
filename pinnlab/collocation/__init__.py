"""Collocation points: samplers and adaptive refinement; the Lightning data module is in `.datamodule`."""

from pinnlab.collocation.adaptive import residual_adaptive
from pinnlab.collocation.samplers import Graded, Grid, Halton, LatinHypercube, Sampler, Sobol, Uniform

__all__ = ["Graded", "Grid", "Halton", "LatinHypercube", "Sampler", "Sobol", "Uniform", "residual_adaptive"]
