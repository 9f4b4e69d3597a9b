"""What a balancing scheme may see: residuals and their gradients where a training step starts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from pinnlab.equations import Equation
from pinnlab.geometry import Points, select, size
from pinnlab.residuals.elimination import Exchange
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.residuals.residuals import Residuals
from pinnlab.residuals.weighting import Weighting

# Numbers of a Jacobian that are in memory at once, some hundred megabytes of them.
_NUMBERS = 2e7


class Sharing(Exchange, Protocol):
    """Processes that share out points in turn: rank k has the points k, k + size, k + 2 size and so on."""

    size: int
    rank: int


class Alone:
    """One process that holds all points."""

    size, rank = 1, 0

    def sum(self, tensor: Tensor) -> Tensor:
        """The tensor itself."""
        return tensor

    def stack(self, tensor: Tensor) -> Tensor:
        """The tensor itself."""
        return tensor


class Snapshot:
    """The residuals where a training step starts, under the fixed weighting: without the weights of balancing.

    Every number is over the points of all ranks, and has the same bits on each. It is computed when it is asked for:
    a scheme that looks at losses alone costs one evaluation without gradients. All ranks must ask for the same.

    With r_c the rows of constraint c, of N points, under the fixed weighting, L_c = ‖r_c‖² is its loss.

    Attributes:
        points: The points of this rank by constraint.
    """

    def __init__(
        self,
        residuals: Residuals,
        points: Mapping[str, Points],
        weighting: Weighting | None = None,
        ranks: Sharing | None = None,
    ) -> None:
        """Takes the residuals as they are; nothing is evaluated yet.

        Args:
            residuals: The residual blocks.
            points: The points of every constraint: this rank's share.
            weighting: The factors on rows, without the weights of balancing; by default the factors of the
                configuration, with means over these points.
            ranks: Who holds the other points; this process alone by default.
        """
        self.points = points
        self._residuals, self._ranks = residuals, ranks or Alone()
        self._weighting = (weighting or residuals.over(points)).fixed

    @property
    def equation(self) -> Equation:
        """The equation that is trained."""
        return self._residuals.equation

    @cached_property
    def losses(self) -> dict[str, float]:
        """L_c by constraint."""
        sums = self._ranks.sum(torch.stack([block.square().sum() for block in self._blocks.values()]))
        return dict(zip(self._blocks, sums.tolist(), strict=True))

    def loss(self, weighting: Weighting) -> float:
        """‖r‖² with the fixed factors of the snapshot and the balancing weights of another weighting."""
        parts = []
        for name, block in self._blocks.items():
            rows = block * weighting[name].root if weighting[name].balanced else block
            parts.append(rows.square().sum())
        return float(self._ranks.sum(torch.stack(parts).sum()))

    @cached_property
    def gradients(self) -> dict[str, Tensor]:
        """∇L_c by constraint in the trained parameters θ of the network, `(P,)` each; costs a backward pass each."""
        parameters = [p for p in self._residuals.network.parameters() if p.requires_grad]
        found = []
        for name, points in self.points.items():  # one after another, so that one graph at a time is in memory
            with torch.enable_grad():
                loss = self._residuals({name: points}, self._weighting)[name].square().sum()
            if loss.requires_grad:
                slopes = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
            else:
                slopes = tuple(torch.zeros_like(p) for p in parameters)
            found.append(torch.cat([slope.reshape(-1) for slope in slopes]))
        return dict(zip(self.points, self._ranks.sum(torch.stack(found)).unbind(), strict=True))

    @cached_property
    def traces(self) -> dict[str, float]:
        """The traces tr K_c = Σ |∂r/∂θ|², over the rows r of a constraint, of its block of the neural tangent kernel.

        The Jacobian is taken in parts, so that it needs no more memory than some hundred megabytes.
        """
        weights = {f"network.{n}": p.detach() for n, p in self._residuals.network.named_parameters() if p.requires_grad}
        columns = sum(p.numel() for p in weights.values())
        sums = []
        for name, points in self.points.items():
            at_once = max(1, int(_NUMBERS / (columns * self._residuals.height(name))))
            traces = [
                Linearisation(self._residuals, weights, {name: select(points, part)}, self._weighting, held=True)
                .jacobian()
                .dense()
                .square()
                .sum()
                for part in torch.arange(size(points)).split(at_once)
                if len(part)
            ]
            sums.append(torch.stack(traces).sum() if traces else next(iter(weights.values())).new_zeros(()))
        return dict(zip(self.points, self._ranks.sum(torch.stack(sums)).tolist(), strict=True))

    def squares(self, name: str) -> Tensor:
        """s_i = N |r_i|² at the points of one constraint, with r_i its rows there, `(N,)`: L_c is the mean of them.

        For a constraint without Sobolev weights of higher orders that is its weight times the square of its residual.
        """
        return self.everywhere(name, self._blocks[name].square().sum(0) * self._weighting[name].count)

    def everywhere(self, name: str, values: Tensor) -> Tensor:
        """Values at this rank's points of a constraint as those at the points of all ranks, `(N,)`, in their order."""
        ranks = self._ranks
        if ranks.size == 1:
            return values
        count = round(self._weighting[name].count)
        padded = values.new_zeros(math.ceil(count / ranks.size))
        padded[: len(values)] = values
        return ranks.stack(padded[None]).mT.flatten()[:count]

    @cached_property
    def _blocks(self) -> dict[str, Tensor]:
        with torch.no_grad():
            return {name: block.detach() for name, block in self._residuals(self.points, self._weighting).items()}
