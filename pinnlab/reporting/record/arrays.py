"""The solution and the points of a record as named arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pinnlab.collocation import Grid
from pinnlab.collocation.datamodule import Collocation
from pinnlab.equations import Equation
from pinnlab.equations.constraints import domain
from pinnlab.equations.inputs import by_axis
from pinnlab.geometry import Points, select
from pinnlab.reporting.figures.space.mesh import broken, lattice, triangles
from pinnlab.training.pinn import PINN

_MAP = 101 * 101
"""Points of a map of a solution in two inputs."""


def where(module: PINN, data: Collocation) -> tuple[str, Points]:
    """The constraint that is the domain, and held-out points of it: in order on a line, a grid over two axes."""
    equation = module.equation
    name = domain(equation.constraints())
    constraint = equation.constraints()[name]
    region = constraint.region.hull
    if equation.dimension == 2:
        scalar = len(equation.inputs) == 2
        return name, lattice(region, _MAP) if scalar else Grid().sample(region, _MAP, 0)
    points = constraint.flat(data.held_out_batch()[name])
    if equation.dimension == region.dimension == 1:
        points = select(points, points[equation.inputs[0]].flatten().argsort())
    return name, points


def covered(module: PINN, name: str, points: Points, found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The record of a solution, restricted to the part of its picture that the region covers.

    Values are NaN in the gaps of a line; `mesh/triangles`, `(T, 3)`, are the triangles of a map over two scalar inputs.
    """
    inputs, region = module.equation.inputs, module.equation.constraints()[name].region.hull
    if len(inputs) == module.equation.dimension == 2:
        return {**found, "mesh/triangles": triangles(region, points)}
    if region.dimension == module.equation.dimension == 1 and inputs[0] in found:
        return broken(region, found)
    return dict(found)


def solution_arrays(module: PINN, name: str, points: Points) -> dict[str, np.ndarray]:
    """The solution at points of a constraint, as named arrays.

    Inputs are `(N,)`, a vector x as its components `x.0`, `x.1`, …. For an equation of one axis each output is
    `(order + 1, N)`, its derivatives up to the highest that training used; for more axes it is `(1, N)`. `residual` is
    `(components, N)`, and missing where it belongs to no single point.
    """
    points = {key: column.to(module.device) for key, column in points.items()}
    with torch.enable_grad():
        if module.equation.dimension == 1:
            outputs = module.residuals.derivatives(points, _order(module))
        else:
            outputs = {key: value[None] for key, value in module(points).items()}
        local = module.equation.constraints()[name].local
        residual = {"residual": module.residual_values({name: points})[name]} if local else {}
    return _numpy(by_axis(points, module.equation.inputs) | outputs | residual)


def exact_arrays(module: PINN, points: Points) -> dict[str, np.ndarray]:
    """The true solution at points, if it is known: `exact/NAME`, of the shape of the output.

    Of a reference, which has no derivatives, it is `(1, N)`.
    """
    equation, order = module.equation, _order(module)
    if not equation.solved:
        return {}
    if equation.known_order is not None:
        order = min(order, equation.known_order)
    alphas = [(j, *[0] * (equation.dimension - 1)) for j in range(order + 1)]
    with torch.enable_grad():
        fields = equation.solution({key: column.to(module.device) for key, column in points.items()}, order)
        exact = {key: torch.stack([field.derivative(a) for a in alphas]) for key, field in fields.items()}
    return _numpy({f"exact/{key}": values for key, values in exact.items()})


def _order(module: PINN) -> int:
    """The highest derivative that is recorded."""
    orders = [term.indices.order for term in module.residuals.terms.values()]
    return max(orders) if module.equation.dimension == 1 else 0


def _numpy(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {key: value.detach().cpu().numpy() for key, value in tensors.items()}


def point_arrays(data: Collocation, equation: Equation, step: int) -> dict[str, Any]:
    """The collocation points of a step: `constraint/column` ↦ `(N,)`, vector inputs by component."""
    constraints = equation.constraints()
    batch = {name: constraints[name].flat(points) for name, points in data.batch(step).items()}
    return {
        f"{name}/{key}": column.cpu().numpy()
        for name, points in batch.items()
        for key, column in (points | by_axis(points, equation.inputs)).items()
        if column.ndim == 1
    }
