"""Networks: ordinary modules, built as `Network(inputs, outputs, **options)`.

Both numbers are `Columns` where an equation gives them: numbers that know the names of the columns.
"""

from pinnlab.networks.activations import Adaptive, Exp, Gaussian, Sine
from pinnlab.networks.columns import Columns
from pinnlab.networks.embeddings import Fourier, FourierFeatures, Periodic
from pinnlab.networks.enriched import Corner, Enriched
from pinnlab.networks.factorised import Factorised, FactorisedLinear
from pinnlab.networks.gated import GatedMLP, PirateNet
from pinnlab.networks.mlp import MLP
from pinnlab.networks.parts import DependsOn, Parts, PerOutput
from pinnlab.networks.random_features import RandomFeatures
from pinnlab.networks.residual import ResidualMLP
from pinnlab.networks.seen import Seen
from pinnlab.networks.separated import Product
from pinnlab.networks.siren import SIREN
from pinnlab.networks.staged import Staged
from pinnlab.networks.transforms import Build, Even, Odd, Rescaled, Taylor

__all__ = [
    "MLP",
    "SIREN",
    "Adaptive",
    "Build",
    "Columns",
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
    "Taylor",
]
