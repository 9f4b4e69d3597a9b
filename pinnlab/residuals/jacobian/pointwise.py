"""Jacobians of rows that depend on the network at their own point alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from pinnlab.geometry import Points, size
from pinnlab.networks.composed.seen import slots
from pinnlab.residuals.elimination import Affine
from pinnlab.residuals.jacobian.functional import ConstraintRows, Evaluation, own_gradients
from pinnlab.residuals.residuals import Residuals

# Rows times points up to which a pass over repeated points takes less time than a pass per row (measured).
_REPEAT_LIMIT = 512


class Copied(Evaluation):
    """Rows whose points have copies of the trained parameters of their own.

    The copies are expanded without memory. One backward pass per row of a block then returns that row's gradient for
    all points at once, where differentiating the whole block would take one pass per point. The points of a small
    block are repeated, once for every row, and a single pass gives all rows.
    """

    def __init__(self, rows: ConstraintRows, copies: Residuals, parameters: Mapping[str, Tensor]) -> None:
        """Evaluates the rows.

        Args:
            rows: The rows.
            copies: The residuals of a network that takes copies of the parameters: see `with_copies`.
            parameters: The trained parameters θ.
        """
        self._rows = rows
        times = repeats(rows)
        n = times * size(rows.points)
        own = {key: p.detach().expand(n, *p.shape).requires_grad_() for key, p in parameters.items()}
        with torch.enable_grad():
            affine = replace(repeated(rows, times), residuals=copies).affine(own)
            self.affine = affine.map(own_row) if times > 1 else affine
        self._own = list(own.values())

    def jacobian(self, values: Mapping[str, float]) -> Tensor:
        """See `Evaluation.jacobian`."""
        with torch.enable_grad():
            block = self.affine.at(values)
        return own_gradients(block, self._own)

    def again(self, parameters: Mapping[str, Tensor]) -> Affine:
        """See `Evaluation.again`."""
        return self._rows.affine(parameters)


class Mapped(Evaluation):
    """Rows of any differentiable network: `vmap` over the points of reverse mode."""

    def __init__(self, rows: ConstraintRows, parameters: Mapping[str, Tensor]) -> None:
        """Evaluates the rows at the trained parameters θ."""
        self._rows, self._parameters = rows, parameters
        with torch.no_grad():
            self.affine = rows.affine(parameters)

    def jacobian(self, values: Mapping[str, float]) -> Tensor:
        """See `Evaluation.jacobian`."""
        factors = self._rows.factors

        def rows(parameters: dict[str, Tensor], point: Points, weight: Tensor | None) -> Tensor:
            single = {key: column[None] for key, column in point.items()}
            own = replace(factors, points=None if weight is None else weight[None])
            return self._rows.at(single, own).affine(parameters).at(values)[:, 0]

        mapped = vmap(jacrev(rows), in_dims=(None, 0, None if factors.points is None else 0))
        jacobians = mapped(dict(self._parameters), self._rows.points, factors.points)
        parts = [jacobians[key].reshape(*jacobians[key].shape[:2], -1) for key in self._parameters]  # (N, rows, p) each
        return torch.cat(parts, 2).transpose(0, 1).flatten(0, 1)

    def again(self, parameters: Mapping[str, Tensor]) -> Affine:
        """See `Evaluation.again`."""
        return self._rows.affine(parameters)


def with_copies(residuals: Residuals, parameters: Collection[str]) -> Residuals | None:
    """Residuals whose network takes copies of these parameters per point; None where no such network can be built.

    Other parameters, which are frozen, are the same for all points.
    """
    network = residuals.network
    names = {name.removeprefix("network.") for name in parameters if name.startswith("network.")}
    # an unknown that the network sees is a parameter of the network as well
    names |= {slot for slot, unknown in slots(network).items() if f"equation.{unknown}.parameter" in parameters}
    copies = residuals.engine.with_copies(network, names)
    return None if copies is None else residuals.with_network(copies)


def repeats(rows: ConstraintRows) -> int:
    """How often to repeat the points: once per row while a pass is bound by its number of operations."""
    height = rows.residuals.height(rows.name)
    return height if height * size(rows.points) <= _REPEAT_LIMIT else 1


def repeated(rows: ConstraintRows, times: int) -> ConstraintRows:
    """The rows at the same points, repeated so many times one after another."""
    if times == 1:
        return rows
    points = {key: column.repeat(times, *[1] * (column.ndim - 1)) for key, column in rows.points.items()}
    return rows.at(points, rows.factors.repeated(times))


def own_row(block: Tensor) -> Tensor:
    """Row i at the i-th repetition of the points, `(rows, N)`, of a block `(rows, rows · N)`."""
    rows = block.shape[0]
    return block.view(rows, rows, -1).diagonal().mT
