"""How much the residuals depend on the unknowns of an equation."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from pinnlab.geometry import Points, size
from pinnlab.residuals.elimination import flatten
from pinnlab.residuals.residuals import Residuals

# Relative to the unknown: an estimate needs two digits of the slope, and rounding leaves ten.
_STEP = 1e-4


def slopes(
    residuals: Residuals, points: Mapping[str, Points], totals: Mapping[str, float] | None = None
) -> dict[str, Tensor]:
    """∂r/∂p of the weighted residuals r for every unknown p, all blocks flattened, `(M,)` each, without a graph.

    They are central differences, which are exact where a residual is affine in the unknown; they look beyond its
    bounds.

    Args:
        residuals: The residual blocks.
        points: The points of every constraint.
        totals: The global numbers of points by constraint, where the points are one rank's share.
    """
    values = {name: unknown.value.detach() for name, unknown in residuals.equation.unknowns().items()}
    found = {name: dict[str, Tensor]() for name in values}
    for constraint, batch in points.items():
        variables = residuals.variables(constraint, batch)
        total = (totals or {}).get(constraint) or size(batch)
        for name, value in values.items():
            step = _STEP * max(abs(float(value)), _STEP)
            above, below = (
                residuals.rows(constraint, variables, {**values, name: value + side}, total).detach()
                for side in (step, -step)
            )
            found[name][constraint] = (above - below) / (2 * step)
    return {name: flatten(blocks) for name, blocks in found.items()}
