"""The Jacobian of rows that use all nodes of their group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.func import jacrev

from pinnlab.geometry import select, size
from pinnlab.jets import Jet
from pinnlab.residuals.elimination import Affine
from pinnlab.residuals.jacobian.calls import Replay, recorded
from pinnlab.residuals.jacobian.functional import ConstraintRows, Evaluation


class Whole(Evaluation):
    """Rows that use all nodes of their group.

    They depend on the network through its Taylor coefficients C at the nodes and places alone, so that

        ∂r/∂θ = (∂r/∂C) (∂C/∂θ) + ∂r/∂p

    with the unknowns p. The first factor never meets the network; in the second, a node's coefficients depend on the
    network at that node alone, and one backward pass per coefficient gives all nodes. Where there are fewer rows than
    coefficients, or the engine or the network has no such series, each row takes a backward pass through everything.
    """

    def __init__(self, rows: ConstraintRows, parameters: Mapping[str, Tensor]) -> None:
        """Evaluates the rows at the trained parameters θ."""
        self._rows, self._parameters = rows, parameters
        with torch.no_grad():
            self.affine = rows.affine(parameters)

    def jacobian(self, values: Mapping[str, float]) -> Tensor:
        """See `Evaluation.jacobian`."""
        own = [_group_jacobian(group, self._parameters, values) for group in by_group(self._rows)]
        return torch.stack(own, 1).flatten(0, 1)

    def again(self, parameters: Mapping[str, Tensor]) -> Affine:
        """See `Evaluation.again`."""
        return self._rows.affine(parameters)


def by_group(rows: ConstraintRows) -> list[ConstraintRows]:
    """The rows of each group of nodes alone."""
    count = size(rows.points)
    each = enumerate(rows.factors.each(count))
    return [rows.at(select(rows.points, slice(g, g + 1)), factors) for g, factors in each]


def _group_jacobian(rows: ConstraintRows, parameters: Mapping[str, Tensor], values: Mapping[str, float]) -> Tensor:
    """∂r/∂θ for the rows r of one group, `(R, P)`."""
    # a node has at least one coefficient for each derivative: too few rows to be worth an evaluation of the network
    if rows.residuals.height(rows.name) > len(rows.residuals.terms[rows.name].indices):
        calls = recorded(rows, parameters)
        if calls is not None and sum(call.width for call in calls) < rows.residuals.height(rows.name):
            by_coefficient, by_unknown = sensitivities(rows, [call.jet for call in calls], parameters, values)
            parts = [
                slope.transpose(2, 3).flatten(1) @ call.jacobian().flatten(0, 1)
                for slope, call in zip(by_coefficient, calls, strict=True)
            ]
            return together(parameters, torch.stack(parts).sum(0), by_unknown)
    return _by_rows(rows, parameters, values)


def sensitivities(
    rows: ConstraintRows, jets: Sequence[Jet], parameters: Mapping[str, Tensor], values: Mapping[str, float]
) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """∂r/∂C by call, `(R, S, N, outputs)` each, and ∂r/∂p by unknown, `(R, ...)`, for all rows r of one group.

    Args:
        rows: The rows of the group.
        jets: What the network returned, call by call.
        parameters: The trained parameters by name, of which the unknowns are taken.
        values: The values of the linear unknowns.
    """
    unknowns = {key: value.detach() for key, value in parameters.items() if not key.startswith("network.")}

    def flat(given: tuple[Tensor, ...], own: dict[str, Tensor]) -> Tensor:
        replay = Replay([jet.like(c) for jet, c in zip(jets, given, strict=True)])
        return rows.with_network(replay).affine(own).at(values).flatten()

    with torch.enable_grad():
        coefficients = tuple(jet.coefficients.detach() for jet in jets)
        found: tuple[tuple[Tensor, ...], dict[str, Tensor]] = jacrev(flat, argnums=(0, 1))(coefficients, unknowns)
    return found


def together(parameters: Mapping[str, Tensor], network: Tensor, unknowns: Mapping[str, Tensor]) -> Tensor:
    """The columns of all parameters in their order, `(R, P)`.

    Args:
        parameters: The trained parameters by name.
        network: The columns of those of the network, `(R, P')`.
        unknowns: The columns of the others by name, `(R, ...)`.
    """
    if not unknowns:
        return network
    widths = [p.numel() for key, p in parameters.items() if key.startswith("network.")]
    parts = iter(network.split(widths, 1))
    return torch.cat(
        [unknowns[key].reshape(len(network), -1) if key in unknowns else next(parts) for key in parameters], 1
    )


def _by_rows(rows: ConstraintRows, parameters: Mapping[str, Tensor], values: Mapping[str, float]) -> Tensor:
    """The Jacobian by reverse mode through everything, one pass for each row."""
    leaves = {key: value.detach().clone().requires_grad_() for key, value in parameters.items()}
    with torch.enable_grad():
        block = rows.affine(leaves).at(values)
        each = block.flatten().unbind()
    if not block.requires_grad:
        return block.new_zeros(len(each), sum(leaf.numel() for leaf in leaves.values()))
    gradients = []
    for i, row in enumerate(each):
        slopes = torch.autograd.grad(
            row, list(leaves.values()), retain_graph=i + 1 < len(each), allow_unused=True, materialize_grads=True
        )
        gradients.append(torch.cat([slope.flatten() for slope in slopes]))
    return torch.stack(gradients)
