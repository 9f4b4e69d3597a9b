"""Inputs in which a solution is periodic, found from the conditions that say so."""

from __future__ import annotations

import math

import torch
from torch import nn

from pinnlab.collocation import Sobol
from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.residuals import Residuals
from pinnlab.strategy.features import Features, Range, builder, built, random_features

_POINTS = 32


def periodic_inputs(equation: Equation) -> tuple[bool, ...]:
    """For each column of the inputs, whether conditions make the solution periodic over the region's length.

    Periodic functions satisfy such a condition whatever else they are. So the conditions that compare two places are
    tried with random functions that are periodic in one input, and with random functions that are not.
    """
    compared = {
        name: Sobol().sample(found.region, _POINTS, 0) for name, found in equation.constraints().items() if found.places
    }
    columns = equation.dimension

    def size(name: str, periodic: tuple[bool, ...]) -> float:
        features = Features(40, (4.0,) * columns, periodic=periodic)
        build = builder(equation, features, Range.unit(len(equation.outputs)))
        network = built(equation, build, 0)
        last = random_features(network).last
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            nn.init.normal_(last.weight)
        residuals = Residuals(network, equation, NTP()).unweighted()
        with torch.enable_grad():
            block = residuals({name: compared[name]}, residuals.weighting)[name].detach()
        return float(block.abs().max())

    found = []
    for column in range(columns):
        alone = tuple(other == column for other in range(columns))
        found.append(any(_vanishes(size(name, alone), size(name, ())) for name in compared))
    return tuple(found) if any(found) else ()


def _vanishes(size: float, other: float) -> bool:
    return math.isfinite(other) and size <= 1e-9 * other
