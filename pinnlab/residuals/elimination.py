"""Variable projection: unknowns in which every residual is affine have their least-squares values.

The optimiser then sees the other parameters alone (Golub & Pereyra 1973).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from pinnlab.equations import Unknown
from pinnlab.optimisers.linear.bounded_least_squares import bounded_least_squares


class Exchange(Protocol):
    """Communication between the processes that share the points of one problem."""

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, the same on each."""
        ...

    def stack(self, tensor: Tensor) -> Tensor:
        """All processes' tensors one below the other."""
        ...


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


@dataclass(frozen=True)
class Reduced:
    """Residual blocks where every linear unknown has its least-squares value.

    Attributes:
        blocks: The weighted blocks by constraint, `(rows, N)`.
        values: Those values by unknown; nothing has been written to the unknowns.
    """

    blocks: dict[str, Tensor]
    values: dict[str, float]


def flatten(blocks: Mapping[str, Tensor]) -> Tensor:
    """All blocks as one vector, `(M,)`."""
    return torch.cat([block.flatten() for block in blocks.values()])


def slope(affine: Mapping[str, Affine], unknown: str) -> Tensor:
    """∂r/∂λ for one unknown over all blocks, `(M,)`, without a graph."""
    return flatten({name: piece.slopes[unknown].detach() for name, piece in affine.items()})


def eliminate(
    affine: Mapping[str, Affine], unknowns: Mapping[str, Unknown], ranks: Exchange | None = None
) -> dict[str, float]:
    """The values of the linear unknowns that minimise ‖b + Σ_i λ_i s_i‖² within their bounds.

    The columns (s_1, …, s_k, b) are factorised by QR, and never squared: correlated unknowns keep their digits. Each
    rank factorises its own rows, and all ranks factorise the stacked factors again, so that all find the same bits.

    An unknown on which the residuals depend by no more than rounding errors keeps its value. The values of all other
    unknowns depend on the residuals alone, so that a resumed run finds the same bits.

    Args:
        affine: The blocks of all constraints.
        unknowns: The unknowns by name; unknowns in which the blocks are not affine are passed over.
        ranks: Who holds the other points; this process alone by default.
    """
    linear = list(next(iter(affine.values())).slopes) if affine else []
    if not linear:
        return {}
    constant = flatten({name: piece.constant.detach() for name, piece in affine.items()})
    columns = torch.stack([*(slope(affine, name) for name in linear), constant], 1)
    factor = _triangle(columns)
    if ranks is not None:
        factor = _triangle(ranks.stack(factor))
    if not bool(factor.isfinite().all()):
        return {name: float(unknowns[name].value.detach()) for name in linear}  # the loss says what is wrong
    factor = factor.to("cpu", torch.float64)
    noise = 100 * torch.finfo(columns.dtype).eps * float(factor[:, -1].norm())
    moving = [i for i, name in enumerate(linear) if float(factor[:, i].norm()) > noise]
    limits = torch.tensor([unknowns[linear[i]].limits for i in moving], dtype=torch.float64).reshape(-1, 2)
    found = bounded_least_squares(factor[:, moving], factor[:, -1], limits[:, 0], limits[:, 1])
    values = {name: float(unknowns[name].value.detach()) for name in linear}
    return values | dict(zip([linear[i] for i in moving], found.tolist(), strict=True))


def _triangle(columns: Tensor) -> Tensor:
    """The triangular factor of `(M, k)`, `(k, k)`, with rows of zeros where M < k."""
    rows, count = columns.shape
    if rows < count:
        columns = torch.cat((columns, columns.new_zeros(count - rows, count)))
    return torch.linalg.qr(columns, mode="r").R
