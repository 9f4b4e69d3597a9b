"""The rows of one constraint as a function of the parameters, and what a Jacobian asks of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pinnlab.engines.copies import Wrapped
from pinnlab.geometry import Points
from pinnlab.residuals.elimination import Affine
from pinnlab.residuals.residuals import Residuals
from pinnlab.residuals.weighting import Factors


@dataclass(frozen=True)
class ConstraintRows:
    """The weighted rows r(θ) of one constraint at its points, as a function of the parameters θ.

    Attributes:
        residuals: The residual blocks; their network may be `Wrapped`.
        name: The constraint.
        points: Its points, columns `(N, ...)`; of groups of nodes `(G, M)`.
        factors: The factors on its rows.
        held: Whether the linear unknowns are frozen at their values.
    """

    residuals: Residuals
    name: str
    points: Points
    factors: Factors
    held: bool = False

    def affine(self, parameters: Mapping[str, Tensor]) -> Affine:
        """The rows as an affine function of the linear unknowns, `(rows, N)`; see `Residuals.affine`.

        Args:
            parameters: Values by the names that parameters have in residuals without a wrapper. The others are those
                of the module.
        """
        if not parameters:
            return self.residuals.affine(self.name, self.points, self.factors, self.held)
        prefix = "residuals.network." if isinstance(self.residuals.network, Wrapped) else "residuals."
        named = {
            (prefix if key.startswith("network.") else "residuals.") + key: value for key, value in parameters.items()
        }
        result: Affine = functional_call(_Module(self.residuals), named, (self,))
        return result

    def with_network(self, network: nn.Module) -> ConstraintRows:
        """The same rows of another network."""
        return replace(self, residuals=self.residuals.with_network(network))

    def at(self, points: Points, factors: Factors) -> ConstraintRows:
        """The rows of the same constraint at other points."""
        return replace(self, points=points, factors=factors)


class _Module(nn.Module):
    """The residuals in a module, so that `functional_call` can put other parameters in."""

    def __init__(self, residuals: Residuals) -> None:
        super().__init__()
        self.residuals = residuals

    def forward(self, rows: ConstraintRows) -> Affine:
        return rows.residuals.affine(rows.name, rows.points, rows.factors, rows.held)


class Evaluation(ABC):
    """The rows of one constraint evaluated at some parameters θ, with what their Jacobian needs.

    Attributes:
        affine: The rows as an affine function of the linear unknowns, `(rows, N)`.
    """

    affine: Affine

    @abstractmethod
    def jacobian(self, values: Mapping[str, float]) -> Tensor:
        """∂r/∂θ at fixed values of the linear unknowns, `(rows · N, P)`. It may use a graph up."""

    @abstractmethod
    def again(self, parameters: Mapping[str, Tensor]) -> Affine:
        """The rows at other parameters, differentiable in these."""


def passes(block: Tensor, leaves: Sequence[Tensor], single: bool) -> Iterator[tuple[Tensor, ...]]:
    """The gradients of rows with respect to what each point has of its own, one backward pass after another.

    Args:
        block: Rows `(rows, N)`. The graph is used up.
        leaves: What the rows depend on, each entry at one point.
        single: Whether each row has leaves of its own, so that one pass gives all; otherwise each takes a pass.
    """
    with torch.enable_grad():
        totals = [block.sum()] if single else list(block.sum(1).unbind())
    for i, total in enumerate(totals):
        if not block.requires_grad:  # as where a stage has not begun, and nothing that is trained takes part
            yield tuple(torch.zeros_like(leaf) for leaf in leaves)
            continue
        yield torch.autograd.grad(
            total, list(leaves), retain_graph=i + 1 < len(totals), allow_unused=True, materialize_grads=True
        )


def own_gradients(block: Tensor, own: Sequence[Tensor]) -> Tensor:
    """The gradients of all rows with respect to each point's own parameters, `(rows · N, P)`.

    Args:
        block: Rows `(rows, N)`. The graph is used up.
        own: Copies of the parameters, `(n, ...)` each: for every point, n = N, or for every row, n = rows · N.
    """
    n = len(own[0])
    single = n == block.numel()
    widths = [copies[0].numel() for copies in own]
    found = block.new_empty(1 if single else len(block), n, sum(widths))
    for rows, gradients in zip(found, passes(block, own, single), strict=True):
        for part, gradient in zip(rows.split(widths, 1), gradients, strict=True):
            part.copy_(gradient.reshape(n, -1))
    return found.flatten(0, 1)
