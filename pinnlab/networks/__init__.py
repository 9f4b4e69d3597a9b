"""Networks: ordinary modules, built as `Network(inputs, outputs, **options)`.

Both numbers are `Columns` where an equation gives them: numbers that know the names of the columns.
"""

from pinnlab.networks.activations import Adaptive, Exp, Gaussian, Sine
from pinnlab.networks.architectures.conjugate import Conjugate
from pinnlab.networks.architectures.embeddings import Fourier, FourierFeatures, Periodic
from pinnlab.networks.architectures.factorised import Factorised, FactorisedLinear
from pinnlab.networks.architectures.gated import GatedMLP, PirateNet
from pinnlab.networks.architectures.random_features import RandomFeatures
from pinnlab.networks.architectures.residual import ResidualMLP
from pinnlab.networks.architectures.separated import Product
from pinnlab.networks.architectures.siren import SIREN
from pinnlab.networks.columns import Columns
from pinnlab.networks.composed.enriched import Corner, Enriched
from pinnlab.networks.composed.parts import DependsOn, Parts, PerOutput
from pinnlab.networks.composed.seen import Seen
from pinnlab.networks.composed.staged import Staged
from pinnlab.networks.composed.stretched import Stretched, Stretching
from pinnlab.networks.composed.windows import Windows
from pinnlab.networks.mlp import MLP
from pinnlab.networks.transforms import Affine, Build, Even, Odd, Rescaled, Taylor

__all__ = [
    "MLP",
    "SIREN",
    "Adaptive",
    "Affine",
    "Build",
    "Columns",
    "Conjugate",
    "Corner",
    "DependsOn",
    "Enriched",
    "Even",
    "Exp",
    "Factorised",
    "FactorisedLinear",
    "Fourier",
    "FourierFeatures",
    "GatedMLP",
    "Gaussian",
    "Odd",
    "Parts",
    "PerOutput",
    "Periodic",
    "PirateNet",
    "Product",
    "RandomFeatures",
    "Rescaled",
    "ResidualMLP",
    "Seen",
    "Sine",
    "Staged",
    "Stretched",
    "Stretching",
    "Taylor",
    "Windows",
]
