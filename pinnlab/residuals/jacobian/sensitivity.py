"""How much the residuals depend on the unknowns of an equation."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pinnlab.geometry import Points
from pinnlab.residuals.elimination import flatten
from pinnlab.residuals.residuals import Residuals
from pinnlab.residuals.weighting import Weighting


def slopes(residuals: Residuals, points: Mapping[str, Points], weighting: Weighting | None = None) -> dict[str, Tensor]:
    """∂r/∂p of the weighted residuals r for every unknown p, all blocks flattened, `(M,)` each, without a graph.

    Reverse mode twice: w·∂r/∂p is linear in the weights w of the rows, and its derivatives in w are the slopes. They
    are exact to rounding, so that unknowns which act alike have slopes that are parallel to rounding.

    Args:
        residuals: The residual blocks.
        points: The points of every constraint.
        weighting: The factors on rows; by default those of the configuration, with means over these points.
    """
    residuals = residuals.prepared()
    found = {name: dict[str, Tensor]() for name in residuals.equation.unknowns()}
    with torch.enable_grad():
        unknowns = residuals.equation.unknowns().items()
        weighting = weighting or residuals.over(points)
        values = {name: unknown.value.detach().requires_grad_() for name, unknown in unknowns}
        for constraint, batch in points.items():
            variables = residuals.variables(constraint, batch, values)
            rows = residuals.rows(constraint, variables, values, weighting[constraint])
            weights = torch.zeros_like(rows, requires_grad=True)
            for name, value in values.items():
                (product,) = torch.autograd.grad(
                    rows, value, weights, create_graph=True, allow_unused=True, materialize_grads=True
                )
                if product.requires_grad:
                    (slope,) = torch.autograd.grad(product, weights, retain_graph=True, materialize_grads=True)
                else:
                    slope = torch.zeros_like(rows)
                found[name][constraint] = slope.detach()
    return {name: flatten(blocks) for name, blocks in found.items()}
