"""Balancing: weights of constraints and points that follow the training, one scheme a file."""

from pinnlab.residuals.balancing.base import Balancing, Fixed
from pinnlab.residuals.balancing.causal import Causal
from pinnlab.residuals.balancing.grad_norm import GradNorm
from pinnlab.residuals.balancing.learning_rate_annealing import LearningRateAnnealing
from pinnlab.residuals.balancing.neural_tangent_kernel import NeuralTangentKernel
from pinnlab.residuals.balancing.relobralo import ReLoBRaLo
from pinnlab.residuals.balancing.residual_attention import ResidualAttention
from pinnlab.residuals.balancing.self_adaptive import SelfAdaptive
from pinnlab.residuals.balancing.snapshot import Snapshot
from pinnlab.residuals.balancing.soft_adapt import SoftAdapt

__all__ = [
    "Balancing",
    "Causal",
    "Fixed",
    "GradNorm",
    "LearningRateAnnealing",
    "NeuralTangentKernel",
    "ReLoBRaLo",
    "ResidualAttention",
    "SelfAdaptive",
    "Snapshot",
    "SoftAdapt",
]
