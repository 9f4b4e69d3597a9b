"""Derivative engines: they evaluate a network as fields, over which residuals are written."""

from pinnlab.engines.autograd import Autograd
from pinnlab.engines.base import Engine
from pinnlab.engines.ntp import NTP
from pinnlab.engines.stochastic import Estimate, estimate_laplacian

__all__ = ["NTP", "Autograd", "Engine", "Estimate", "estimate_laplacian"]
