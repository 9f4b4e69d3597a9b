"""A constraint's rows as a function of the parameters, and their gradients with respect to copies for each point."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pinnlab.engines.copies import Wrapped
from pinnlab.geometry import Points
from pinnlab.residuals.elimination import Affine
from pinnlab.residuals.residuals import Residuals
from pinnlab.residuals.weighting import Factors


class _Constraint(nn.Module):
    """One constraint's rows as a module, so that `functional_call` can put other parameters in."""

    def __init__(self, residuals: Residuals) -> None:
        super().__init__()
        self.residuals = residuals

    def forward(self, name: str, points: Points, factors: Factors, held: bool) -> Affine:
        return self.residuals.affine(name, points, factors, held)


def affine(
    residuals: Residuals, parameters: Mapping[str, Tensor], name: str, points: Points, factors: Factors, held: bool
) -> Affine:
    """`residuals.affine` at other values of the parameters.

    Args:
        residuals: The residual blocks; their network may be `Wrapped`.
        parameters: The values by the names that they have in residuals without a wrapper.
        name: The constraint.
        points: Its points.
        factors: The factors on its rows.
        held: Keep the linear unknowns at their values.
    """
    prefix = "residuals.network." if isinstance(residuals.network, Wrapped) else "residuals."
    named = {(prefix if key.startswith("network.") else "residuals.") + key: value for key, value in parameters.items()}
    result: Affine = functional_call(_Constraint(residuals), named, (name, points, factors, held))
    return result


def own_gradients(block: Tensor, own: list[Tensor]) -> Tensor:
    """The gradients of all rows with respect to each point's own parameters, `(rows · N, P)`."""
    n = len(own[0])
    rows = []
    with torch.enable_grad():
        # one pass in all if every row has copies of its own, one pass per row otherwise
        totals = [block.sum()] if n == block.numel() else list(block.sum(1).unbind())
    for i, total in enumerate(totals):
        gradients = torch.autograd.grad(
            total, own, retain_graph=i + 1 < len(totals), allow_unused=True, materialize_grads=True
        )
        rows.append(torch.cat([gradient.reshape(n, -1) for gradient in gradients], 1))
    return torch.cat(rows)
