"""How much the residuals depend on the unknowns, from which an error estimate follows that needs no truth."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from pinnlab.geometry import Points, size
from pinnlab.residuals.elimination import flatten
from pinnlab.residuals.residuals import Residuals

# Relative to the unknown: an estimate needs two digits of the slope, and rounding leaves ten.
_STEP = 1e-4


def sensitivities(
    residuals: Residuals, points: Mapping[str, Points], totals: Mapping[str, float] | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted residuals r and their slopes ∂r/∂p for every unknown p, all blocks flattened, `(M,)` each.

    The slopes are central differences, which are exact where a residual is affine in the unknown; they look beyond
    its bounds. On points that training has not seen ‖r‖/‖∂r/∂p‖ is the change of p that would matter as much as all
    that is left of the residual, an estimate of its error.

    Args:
        residuals: The residual blocks.
        points: The points of every constraint.
        totals: The global numbers of points by constraint, where the points are one rank's share.
    """
    values = {name: unknown.value.detach() for name, unknown in residuals.equation.unknowns().items()}
    here, slopes = {}, {name: dict[str, Tensor]() for name in values}
    for constraint, batch in points.items():
        variables = residuals.variables(constraint, batch)
        total = (totals or {}).get(constraint) or size(batch)
        here[constraint] = residuals.rows(constraint, variables, values, total).detach()
        for name, value in values.items():
            step = _STEP * max(abs(float(value)), _STEP)
            above, below = (
                residuals.rows(constraint, variables, {**values, name: value + side}, total).detach()
                for side in (step, -step)
            )
            slopes[name][constraint] = (above - below) / (2 * step)
    return flatten(here), {name: flatten(blocks) for name, blocks in slopes.items()}
