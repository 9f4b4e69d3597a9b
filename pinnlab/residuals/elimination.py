"""Unknowns in which every residual is affine, eliminated in closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnlab.equations import Unknown


@dataclass(frozen=True)
class Affine:
    """A block of residuals as an affine function of the linear unknowns, r = b + Σ_i λ_i s_i.

    Attributes:
        constant: b, `(rows, N)`.
        slopes: s_i by unknown, `(rows, N)`.
    """

    constant: Tensor
    slopes: dict[str, Tensor]

    def at(self, values: Mapping[str, float]) -> Tensor:
        """The block at these values of the unknowns, `(rows, N)`."""
        block = self.constant
        for name, slope in self.slopes.items():
            block = block + values[name] * slope
        return block

    def map(self, function: Callable[[Tensor], Tensor]) -> Affine:
        """The same linear function of the constant and the slopes."""
        return Affine(function(self.constant), {name: function(slope) for name, slope in self.slopes.items()})


def flatten(blocks: Mapping[str, Tensor]) -> Tensor:
    """All blocks as one vector, `(M,)`."""
    return torch.cat([block.flatten() for block in blocks.values()])


def slope(affine: Mapping[str, Affine], unknown: str) -> Tensor:
    """∂r/∂λ for one unknown over all blocks, `(M,)`, without a graph."""
    return flatten({name: piece.slopes[unknown].detach() for name, piece in affine.items()})


def eliminate(
    affine: Mapping[str, Affine],
    unknowns: Mapping[str, Unknown],
    reduce: Callable[[Tensor], Tensor] | None = None,
) -> dict[str, float]:
    """The values of the linear unknowns that minimise ‖b + Σ_i λ_i s_i‖² within their bounds.

    Args:
        affine: The blocks of all constraints.
        unknowns: The unknowns by name; those in which the blocks are not affine are passed over.
        reduce: Sums a tensor over the ranks.
    """
    linear = list(next(iter(affine.values())).slopes) if affine else []
    if not linear:
        return {}
    constant = flatten({name: piece.constant.detach() for name, piece in affine.items()})
    slopes = torch.stack([slope(affine, name) for name in linear])
    vectors = torch.cat((slopes, constant[None]))
    moments = vectors @ vectors.mT
    if reduce is not None:
        moments = reduce(moments)
    boxes = [(unknowns[name].bounds, float(unknowns[name].value.detach())) for name in linear]
    return dict(zip(linear, _bounded(moments[:-1].tolist(), float(moments[-1, -1]), boxes), strict=True))


def _bounded(
    moments: Sequence[Sequence[float]], square: float, boxes: Sequence[tuple[tuple[float, float] | None, float]]
) -> list[float]:
    """The minimiser of λᵀGλ + 2 mᵀλ within bounds, by cyclic coordinate descent on the rows (G_i, m_i), with ‖b‖².

    An unknown without any effect, beyond rounding errors, keeps the value that comes with its bounds. The others
    start from zero, so that the result depends on the residuals alone and a resumed run finds the same bits.
    """
    noise = (100 * torch.finfo(torch.float64).eps) ** 2 * square
    values = [start if moments[i][i] <= noise else 0.0 for i, (_, start) in enumerate(boxes)]
    for _ in range(1000):
        before = list(values)
        for i, (bounds, _) in enumerate(boxes):
            *gram, moment = moments[i]
            if gram[i] > noise:
                others = sum(g * value for j, (g, value) in enumerate(zip(gram, values, strict=True)) if j != i)
                values[i] = -(moment + others) / gram[i]
                if bounds is not None:
                    values[i] = min(max(values[i], bounds[0]), bounds[1])
        if len(values) == 1 or values == before:
            break
    return values
