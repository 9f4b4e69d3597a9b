"""Networks: ordinary modules, built as `Network(inputs, outputs, **options)`."""

from pinnlab.networks.activations import Adaptive, Exp, Gaussian, Sine
from pinnlab.networks.embeddings import Fourier, FourierFeatures, Periodic
from pinnlab.networks.factorised import Factorised, FactorisedLinear
from pinnlab.networks.gated import GatedMLP, PirateNet
from pinnlab.networks.mlp import MLP
from pinnlab.networks.random_features import RandomFeatures
from pinnlab.networks.residual import ResidualMLP
from pinnlab.networks.separated import Product
from pinnlab.networks.siren import SIREN
from pinnlab.networks.staged import Staged
from pinnlab.networks.transforms import Build, Even, Odd, Rescaled, Taylor

__all__ = [
    "MLP",
    "SIREN",
    "Adaptive",
    "Build",
    "Even",
    "Exp",
    "Factorised",
    "FactorisedLinear",
    "Fourier",
    "FourierFeatures",
    "GatedMLP",
    "Gaussian",
    "Odd",
    "Periodic",
    "PirateNet",
    "Product",
    "RandomFeatures",
    "Rescaled",
    "ResidualMLP",
    "Sine",
    "Staged",
    "Taylor",
]
