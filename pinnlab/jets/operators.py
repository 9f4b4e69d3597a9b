"""Differential operators of fields, for residuals under any engine: `pinnlab.laplacian` and its like.

The functions differentiate along axes and add. `laplacian` asks the field, for its kind may know a shorter way: a jet
over a collapsed algebra reads Δu from one coefficient.
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
    """The gradient ∇u = (∂u/∂x_1, …, ∂u/∂x_d).

    A residual of the eikonal equation |∇u| = 1 in the plane:

        lambda x, y, u: (pinnlab.grad(u, x, y) ** 2).sum(-1) - 1

    Args:
        u: The field, values `(N,)`.
        *coordinates: The coordinates, each a number or a vector; a vector counts all its axes.

    Returns:
        The field of the d derivatives, values `(N, d)`.

    Example:
        >>> import torch
        >>> from pinnlab import grad
        >>> from pinnlab.jets import IndexSet, Jet
        >>> seed = Jet.seed(torch.tensor([[1.0, 2.0]]), IndexSet.simplex(2, 1))
        >>> x, y = seed.coordinate(0), seed.coordinate(1)
        >>> grad(x * y**2, x, y).value
        tensor([[4., 4.]])
    """
    return u.apply(torch.stack, ([u.differentiate(axis) for axis in u.axes(coordinates)], -1), {})


def div(vector: Sequence[Field] | Field, *coordinates: Field) -> Field:
    """The divergence ∇·v = Σ_i ∂v_i/∂x_i.

    A residual of ∇·(k ∇u) = 0 with a conductivity k that depends on the place:

        lambda x, y, u: pinnlab.div([(1 + x) * u.d(x), (1 + x) * u.d(y)], x, y)

    Args:
        vector: The components, each with values `(N,)`, or one field with values `(N, d)`.
        *coordinates: The coordinates; a vector counts all its axes.

    Returns:
        The field of the sum, values `(N,)`.

    Raises:
        UserError: if there are not as many components as axes.

    Example:
        >>> import torch
        >>> from pinnlab import div
        >>> from pinnlab.jets import IndexSet, Jet
        >>> seed = Jet.seed(torch.tensor([[1.0, 2.0]]), IndexSet.simplex(2, 1))
        >>> x, y = seed.coordinate(0), seed.coordinate(1)
        >>> div([x**2, x * y], x, y).value
        tensor([3.])
    """
    parts = list(vector.unbind(-1)) if isinstance(vector, Field) else list(vector)
    axes = parts[0].axes(coordinates)
    if len(parts) != len(axes):
        raise UserError(f"div needs as many components as coordinates, got {len(parts)} and {len(axes)}")
    return reduce(add, (part.differentiate(axis) for part, axis in zip(parts, axes, strict=True)))


def laplacian(u: Field, *coordinates: Field) -> Field:
    """The Laplacian Δu = Σ_i ∂²u/∂x_i².

    Where a residual has no other derivative of second order, n-TangentProp carries d + 2 coefficients through the
    network instead of the 2d + 1 of d second derivatives. A residual of the heat equation:

        lambda t, x, y, u: u.d(t) - pinnlab.laplacian(u, x, y)

    Args:
        u: The field, values `(N,)`.
        *coordinates: The coordinates; a vector counts all its axes.

    Returns:
        The field of the sum, values `(N,)`.

    Example:
        >>> import torch
        >>> from pinnlab import laplacian
        >>> from pinnlab.jets import IndexSet, Jet
        >>> seed = Jet.seed(torch.tensor([[1.0, 2.0]]), IndexSet.simplex(2, 2))
        >>> x, y = seed.coordinate(0), seed.coordinate(1)
        >>> laplacian(x**2 * y, x, y).value
        tensor([4.])
    """
    return u.laplacian(u.axes(coordinates))


def biharmonic(u: Field, *coordinates: Field) -> Field:
    """The biharmonic operator Δ²u = Σ_ij ∂⁴u/∂x_i²∂x_j², in which each mixed derivative is computed once.

    A residual of a plate that bends under a load of 1:

        lambda x, y, u: pinnlab.biharmonic(u, x, y) - 1

    Args:
        u: The field, values `(N,)`.
        *coordinates: The coordinates; a vector counts all its axes.

    Returns:
        The field of the sum, values `(N,)`.

    Example:
        >>> import torch
        >>> from pinnlab import biharmonic
        >>> from pinnlab.jets import IndexSet, Jet
        >>> seed = Jet.seed(torch.tensor([[1.0, 2.0]]), IndexSet.simplex(2, 4))
        >>> x, y = seed.coordinate(0), seed.coordinate(1)
        >>> biharmonic(x**2 * y**2, x, y).value
        tensor([8.])
    """
    axes = u.axes(coordinates)
    second = [u.differentiate(axis).differentiate(axis) for axis in axes]
    terms = []
    for i, part in enumerate(second):
        terms.append(part.differentiate(axes[i]).differentiate(axes[i]))
        terms += [2 * part.differentiate(axis).differentiate(axis) for axis in axes[i + 1 :]]
    return reduce(add, terms)


def directional(u: Field, direction: Tensor, *coordinates: Field, order: int = 1) -> Field:
    """The directional derivative (v·∇)^order u = Σ_α (order! / α!) v^α ∂^α u over |α| = order.

    A vector that varies from point to point is a constant at each point: v is not differentiated. A residual of
    u_x + 2 u_y = 0:

        lambda x, y, u: pinnlab.directional(u, torch.tensor([1.0, 2.0]), x, y)

    Args:
        u: The field, values `(N,)`.
        direction: v, `(d,)`, or `(N, d)` with a vector for each point.
        *coordinates: The coordinates; a vector counts all its axes.
        order: How often to differentiate.

    Returns:
        The field of the derivative, values `(N,)`.

    Raises:
        UserError: if v has another number of components than there are axes, or the order is negative.

    Example:
        >>> import torch
        >>> from pinnlab import directional
        >>> from pinnlab.jets import IndexSet, Jet
        >>> seed = Jet.seed(torch.tensor([[1.0, 2.0]]), IndexSet.simplex(2, 1))
        >>> x, y = seed.coordinate(0), seed.coordinate(1)
        >>> directional(x * y, torch.tensor([1.0, 2.0]), x, y).value
        tensor([4.])
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
