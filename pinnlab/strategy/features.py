"""Random features of an equation's inputs: what a recipe chooses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from pinnlab.equations import Equation
from pinnlab.equations.constraints import domain
from pinnlab.equations.inputs import axis_names
from pinnlab.networks import Affine, Build, Columns, RandomFeatures, Rescaled, Stretched, Stretching

Layered = tuple[tuple[tuple[float, float], ...], ...]
"""For each column of the inputs the centres and widths of its layers, with the column's range scaled to [−1, 1]."""

# The deviation of the phases b, with which they are uniform on the circle to eight digits.
_PHASES = 2 * math.pi


@dataclass(frozen=True)
class Features:
    """Waves sin(k·x + b) with random wave numbers k, on a region that is scaled to [−1, 1] along every input.

    Attributes:
        count: How many.
        scales: For each column of the inputs, the standard deviation of the wave numbers along it.
        seed: Of the features, and of the points where they are fitted.
        periodic: For each column of the inputs, whether the features have the region's length as a period; none by
            default.
        layers: For each column of the inputs, the centres and widths of layers for which the coordinate is stretched,
            see `Stretched`; none by default.

    Example:
        >>> Features(100, (4.0, 4.0)).grown(4.0)
        Features(count=400, scales=(8.0, 8.0), seed=0, periodic=(), layers=())
        >>> Features(100, (4.0, 4.0)).grown(1.5, kept=0)
        Features(count=150, scales=(4.0, 6.0), seed=0, periodic=(), layers=())
    """

    count: int
    scales: tuple[float, ...]
    seed: int = 0
    periodic: tuple[bool, ...] = ()
    layers: Layered = ()

    def magnified(self, factors: Sequence[float]) -> Features:
        """The same number with the scales multiplied."""
        return replace(self, scales=tuple(s * f for s, f in zip(self.scales, factors, strict=True)))

    def grown(self, factor: float, kept: int | None = None) -> Features:
        """More features, with the wave numbers that so many resolve: those of d inputs grow by the dth root.

        Args:
            factor: On their number.
            kept: An input along which the wave numbers stay.
        """
        count = max(8, round(self.count * factor))
        by = (count / self.count) ** (1 / (len(self.scales) - (kept is not None)))
        return replace(self, count=count, scales=tuple(s if i == kept else by * s for i, s in enumerate(self.scales)))

    def stretched(self, layers: Layered) -> Features:
        """The same number for other layers.

        The scale along an input that had layers before grows with the length that the input has in its stretched
        coordinate. For one that had none the former scale says nothing.
        """
        after = replace(self, layers=layers)
        grown = [
            new.waves / old.waves if old.layers and new.layers else 1.0
            for old, new in zip(self.stretchings(), after.stretchings(), strict=True)
        ]
        return after.magnified(grown)

    def stretchings(self) -> list[Stretching]:
        """The map of each column of the inputs."""
        columns = len(self.scales)
        layers, periodic = self.layers or ((),) * columns, self.periodic or (False,) * columns
        return [Stretching(some, repeats) for some, repeats in zip(layers, periodic, strict=True)]


@dataclass(frozen=True)
class Range:
    """What values the outputs are expected to have: c + s N(x) with N of order 1.

    Attributes:
        centre: c for each output.
        size: s for each output.
    """

    centre: tuple[float, ...]
    size: tuple[float, ...]

    @classmethod
    def unit(cls, count: int) -> Range:
        """Around 0, of size 1."""
        return cls((0.0,) * count, (1.0,) * count)

    @classmethod
    def of(cls, network: nn.Module) -> Range:
        """That for which a network was built."""
        (affine,) = (module for module in network.modules() if isinstance(module, Affine))
        return cls(tuple(affine.centre.tolist()), tuple(affine.size.tolist()))


def builder(equation: Equation, features: Features, outputs: Range) -> Build:
    """How a network of these features is built on the region of an equation."""
    low, high = extent(equation)
    # the class divides by √inputs
    scales = [s * math.sqrt(len(low)) for s in features.scales]
    periods = [2.0 if periodic else None for periodic in features.periodic] or None
    network: Build = partial(
        RandomFeatures, features=features.count, scale=scales, activation="sin", periods=periods, bias=_PHASES
    )
    if any(features.layers):
        network = partial(Stretched, layers=features.layers, periodic=features.periodic or None, network=network)
    network = partial(Affine, centre=list(outputs.centre), size=list(outputs.size), network=network)
    return partial(Rescaled, low=low, high=high, network=network)


def extent(equation: Equation) -> tuple[list[float], list[float]]:
    """The least and the greatest value of each column of the inputs in the domain."""
    constraints = equation.constraints()
    ends = constraints[domain(constraints)].region.extent
    low, high = (torch.cat([ends[name][end].reshape(-1) for name in equation.inputs]).tolist() for end in (0, 1))
    return low, high


def stretched(equation: Equation, features: Features) -> dict[str, tuple[Stretching, float, float]]:
    """The inputs whose coordinates are stretched, with their ranges: where points are spread."""
    maps, (low, high) = features.stretchings(), extent(equation)
    every = zip(axis_names(equation.inputs), maps, low, high, strict=True)
    return {name: (s, a, b) for name, s, a, b in every if s.layers}


def built(equation: Equation, build: Build, seed: int) -> nn.Module:
    """A network with these features whose last layer is zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(Columns(axis_names(equation.inputs)), Columns(equation.outputs))
    waves = random_features(network)
    nn.init.zeros_(waves.last.weight)
    nn.init.zeros_(waves.last.bias)
    return network


def random_features(network: nn.Module) -> RandomFeatures:
    """The features within a network."""
    (found,) = (module for module in network.modules() if isinstance(module, RandomFeatures))
    return found
