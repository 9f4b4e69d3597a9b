"""A true solution in the place of a network, so that an equation's own residuals judge it."""

import itertools

import numpy as np
import torch
from numpy.polynomial import chebyshev

from pinnlab.collocation import Sobol
from pinnlab.engines import NTP
from pinnlab.residuals import Residuals

SPREAD = {1: 14, 2: 12, 3: 8}
"""The degree of the local polynomials by the number of inputs."""


class Formula(torch.nn.Module):
    """The exact solution of an equation as a network of its inputs."""

    def __init__(self, equation, shift=0.0):
        super().__init__()
        self.equation, self.shift = equation, shift
        self.unused = torch.nn.Parameter(torch.zeros(()))

    def forward(self, points):
        values = self.equation.exact(*(points[:, i] + self.shift for i in range(self.equation.dimension)))
        return torch.stack([*values] if isinstance(values, tuple) else [values], -1)


class Local(torch.nn.Module):
    """The reference of an equation around each point, as the polynomial through its values at Chebyshev points.

    A reference has no derivatives; those of the polynomials are. The values lie in a window around the point which is
    moved into the bounding box where it would leave it.
    """

    def __init__(self, equation, part, shift=0.0):
        super().__init__()
        self.equation, self.shift = equation, shift
        low, high = bounds(equation)
        self.low, self.high, self.half = low, high, part * (high - low) / 2
        self.unused = torch.nn.Parameter(torch.zeros(()))

    def forward(self, points):
        degree, dimension = SPREAD[self.equation.dimension], self.equation.dimension
        with torch.no_grad():
            here = getattr(points, "value", points).detach()
            centre = torch.minimum(torch.maximum(here, self.low + self.half), self.high - self.half).numpy()
        nodes = -np.cos(np.pi * np.arange(degree + 1) / degree)
        grid = np.stack(np.meshgrid(*[nodes] * dimension, indexing="ij"), -1).reshape(-1, dimension)
        places = centre[:, None] + grid * self.half.numpy() + self.shift
        columns = {name: places[..., i].ravel() for i, name in enumerate(self.equation.inputs)}
        values = self.equation.reference(**columns)
        values = np.stack([*values] if isinstance(values, tuple) else [values], -1)
        values = values.reshape(len(centre), *[degree + 1] * dimension, -1)
        transform = np.linalg.inv(chebyshev.chebvander(nodes, degree))
        for axis in range(dimension):
            values = np.moveaxis(np.tensordot(transform, values, (1, axis + 1)), 0, axis + 1)
        factors = torch.as_tensor(values)
        scaled = [
            (points[:, i] - torch.as_tensor(centre[:, i])) / float(self.half[i]) for i in range(self.equation.dimension)
        ]
        return torch.stack([series(factors[..., j], scaled) for j in range(factors.shape[-1])], -1)


def series(factors, scaled):
    """The sum of factors `(N, n + 1, …)` times products of Chebyshev polynomials of the scaled coordinates."""
    polynomials = []
    for s in scaled:
        each = [s * 0 + 1, s]
        while len(each) < factors.shape[1]:
            each.append(2 * s * each[-1] - each[-2])
        polynomials.append(each)
    total = scaled[0] * 0
    for powers in itertools.product(range(factors.shape[1]), repeat=len(scaled)):
        if sum(powers) >= factors.shape[1]:
            continue
        term = factors[(slice(None), *powers)]
        for each, power in zip(polynomials, powers, strict=True):
            term = each[power] * term
        total = total + term
    return total


def bounds(equation):
    """The corners of the box around the equation's regions, in the order of its inputs."""
    low, high = {}, {}
    for constraint in equation.constraints().values():
        for name, (a, b) in constraint.region.extent.items():
            low[name], high[name] = min(low.get(name, a), a), max(high.get(name, b), b)
    return tuple(torch.tensor([float(side[name]) for name in equation.inputs]) for side in (low, high))


def residuals_at_the_truth(equation, count, part=0.02, shift=0.0, seed=0):
    """The largest residual of each constraint at the true solution and the true unknowns."""
    for unknown in equation.unknowns().values():
        unknown.parameter.data.fill_(float(unknown.truth))
    known = Formula(equation, shift) if equation.known_order is None else Local(equation, part, shift)
    residuals = Residuals(known, equation, NTP()).unweighted()
    points = {name: Sobol().sample(c.region, count, seed=seed) for name, c in equation.constraints().items()}
    with torch.no_grad():
        blocks = residuals(points, residuals.weighting)
    return {name: float(block.abs().max()) for name, block in blocks.items()}
