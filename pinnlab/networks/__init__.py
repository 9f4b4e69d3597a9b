"""Networks: ordinary modules, built as `Network(inputs, outputs, **options)`."""

from pinnlab.networks.mlp import MLP, Sine
from pinnlab.networks.transforms import Build, Even, Odd, Rescaled, Taylor

__all__ = ["MLP", "Build", "Even", "Odd", "Rescaled", "Sine", "Taylor"]
