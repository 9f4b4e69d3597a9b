"""Differential operators of fields, for residuals under any engine.

Each is written with `.d` alone, or asks the field for what its kind computes best: a jet over a collapsed algebra
reads Δu from one coefficient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from itertools import combinations_with_replacement
from operator import add

import torch
from torch import Tensor

from pinnlab.errors import UserError
from pinnlab.jets.field import Field


def grad(u: Field, *coordinates: Field) -> Field:
    """∇u = (∂u/∂x_1, …, ∂u/∂x_d) along a new last dimension; vector coordinates count all their axes."""
    return u.apply(torch.stack, ([u.differentiate(axis) for axis in u.axes(coordinates)], -1), {})


def div(vector: Sequence[Field] | Field, *coordinates: Field) -> Field:
    """∇·v = Σ_i ∂v_i/∂x_i for a sequence of components, or a field with components along its last dimension.

    Raises:
        UserError: if there are not as many components as axes.
    """
    parts = list(vector.unbind(-1)) if isinstance(vector, Field) else list(vector)
    axes = parts[0].axes(coordinates)
    if len(parts) != len(axes):
        raise UserError(f"div needs as many components as coordinates, got {len(parts)} and {len(axes)}")
    return reduce(add, (part.differentiate(axis) for part, axis in zip(parts, axes, strict=True)))


def laplacian(u: Field, *coordinates: Field) -> Field:
    """Δu = Σ_i ∂²u/∂x_i²; where nothing else of second order is asked for, d + 2 coefficients of every layer."""
    return u.laplacian(u.axes(coordinates))


def biharmonic(u: Field, *coordinates: Field) -> Field:
    """Δ²u = Σ_ij ∂⁴u/∂x_i²∂x_j², each mixed derivative once."""
    axes = u.axes(coordinates)
    second = [u.differentiate(axis).differentiate(axis) for axis in axes]
    terms = []
    for i, part in enumerate(second):
        terms.append(part.differentiate(axes[i]).differentiate(axes[i]))
        terms += [2 * part.differentiate(axis).differentiate(axis) for axis in axes[i + 1 :]]
    return reduce(add, terms)


def directional(u: Field, direction: Tensor, *coordinates: Field, order: int = 1) -> Field:
    """(v·∇)^order u along a given vector v, `(d,)` or `(N, d)`: Σ_α (order! / α!) v^α ∂^α u over |α| = order.

    A vector that varies from point to point, as a normal does, is held where it stands: v is not differentiated.

    Raises:
        UserError: if v has another number of components than there are axes, or the order is negative.
    """
    axes = u.axes(coordinates)
    if order < 0:
        raise UserError(f"the order of a directional derivative cannot be negative, got {order}")
    if len(axes) == 1 and direction.ndim == 1 and direction.shape[0] != 1:
        direction = direction[:, None]
    if direction.shape[-1] != len(axes):
        raise UserError(f"a direction needs {len(axes)} components, got {direction.shape[-1]}")
    if order == 0:
        return u
    terms = []
    for chosen in combinations_with_replacement(range(len(axes)), order):
        factor = math.factorial(order) / math.prod(math.factorial(chosen.count(i)) for i in set(chosen))
        derivative = reduce(lambda field, i: field.differentiate(axes[i]), chosen, u)
        terms.append(factor * math.prod(direction[..., i] for i in chosen) * derivative)
    return reduce(add, terms)
