"""The least-squares loss of one batch, as the optimiser of a phase sees it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.optim import Optimizer

from pinnlab.errors import DivergedError
from pinnlab.geometry import Points
from pinnlab.residuals import Residuals
from pinnlab.residuals.inspection import at
from pinnlab.training.ranks import Ranks


def term_losses(blocks: Mapping[str, Tensor], ranks: Ranks) -> dict[str, float]:
    """Each constraint's share of the loss, ‖r_c‖² over all ranks; they add up to the loss.

    Args:
        blocks: Weighted residual blocks, constraint name -> `(rows, N)`.
        ranks: Who holds the other points.
    """
    sums = ranks.sum(torch.stack([block.detach().square().sum() for block in blocks.values()]))
    return dict(zip(blocks, sums.tolist(), strict=True))


class Objective:
    """The loss ‖r‖² of one batch, with everything about it fixed: points, weights and totals.

    A phase evaluates it as often as its line search asks; nothing changes between two evaluations but the
    parameters. First-order phases use `closure`; second-order phases use the residual vector, `blocks`.

    Args:
        residuals: The module that maps points to weighted residual blocks.
        points: Constraint name -> points, the batch of this step: this rank's share.
        totals: Constraint name -> number of points over all ranks, over the phase's factor on the constraint's loss;
            None on one rank and without factors.
        ranks: Who holds the other points; this process alone by default.
        where: Step and phase in words, for error messages.
    """

    def __init__(
        self,
        residuals: Residuals,
        points: Mapping[str, Points],
        *,
        totals: Mapping[str, float] | None = None,
        ranks: Ranks | None = None,
        where: str = "",
    ) -> None:
        self.residuals = residuals
        self.points = points
        self.totals = totals
        self.ranks = ranks or Ranks()
        self.where = where
        self.evaluations = 0
        """How often the residuals were evaluated in this step."""
        self.first_blocks: dict[str, Tensor] = {}
        """The blocks of the first evaluation, detached: where the step started."""

    def blocks(self) -> dict[str, Tensor]:
        """The weighted residual blocks, linear unknowns eliminated: constraint name -> `(rows, N)`."""
        blocks = self.residuals.reduced(self.points, self.totals, self.ranks.sum)
        if self.evaluations == 0:
            self.first_blocks = {name: block.detach() for name, block in blocks.items()}
        self.evaluations += 1
        return blocks

    def began(self, blocks: Mapping[str, Tensor], loss: float) -> None:
        """Takes the blocks and the loss over all ranks where the step started, from a phase that evaluates them itself.

        Raises:
            DivergedError: if the loss is NaN or infinite.
        """
        self.first_blocks = dict(blocks)
        self._check(loss, blocks)

    def value(self) -> float:
        """The loss over all ranks at the current parameters, without gradients.

        Raises:
            DivergedError: if it is NaN or infinite.
        """
        blocks = self.blocks()
        loss = float(self.ranks.sum(self.residuals.loss(blocks).detach()))
        self._check(loss, blocks)
        return loss

    def closure(self, optimizer: Optimizer, scale: float = 1.0) -> Callable[[], Tensor]:
        """What `optimizer.step` calls: clears the gradients, evaluates `scale` times the loss and its gradient.

        Loss and gradient are those over all ranks, added up in one exchange, so that updates and line searches
        are the same on every rank.

        Raises:
            DivergedError: from the closure, if the loss is NaN or infinite.
        """

        def evaluate() -> Tensor:
            optimizer.zero_grad()
            blocks = self.blocks()
            loss = self.residuals.loss(blocks) * scale
            if loss.requires_grad:  # else nothing takes part that is trained: a stage without a loss to begin on
                loss.backward()
            total = self._exchange(loss.detach())
            self._check(float(total), blocks)
            return total

        return evaluate

    def _exchange(self, loss: Tensor) -> Tensor:
        """Adds up the gradients over all ranks, in place, and returns the sum of the losses."""
        if self.ranks.size == 1:
            return loss
        parameters = [p for p in self.residuals.parameters() if p.requires_grad]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = self.ranks.sum(torch.cat([*(g.reshape(-1) for g in gradients), loss.reshape(1)]))
        for p, gradient in zip(parameters, flat[:-1].split([p.numel() for p in parameters]), strict=True):
            p.grad = gradient.view_as(p)
        return flat[-1]

    def _check(self, loss: float, blocks: Mapping[str, Tensor]) -> None:
        """All ranks see the same loss, and so raise together or not at all."""
        if math.isfinite(loss):
            return
        shares = term_losses(blocks, self.ranks)
        # every share may be finite and only their sum overflow: name the largest then
        name = next(
            (name for name, share in shares.items() if not math.isfinite(share)), max(shares, key=shares.__getitem__)
        )
        what = "NaN" if math.isnan(shares[name]) else "infinite"
        bad = ~blocks[name].isfinite().all(0) if name in blocks else torch.zeros(0, dtype=torch.bool)
        place = ""
        if 0 < int(bad.sum()) < len(bad):  # a network that is not finite is so at all points
            first = int(bad.nonzero()[0])
            place = f", at {at(self.points[name], self.residuals.equation.inputs, first)} and not at all points"
        raise DivergedError(
            f"the residual of constraint {name!r} became {what} at {self.where}{place}: "
            "try a smaller learning rate, fewer derivatives in the loss or other initial values"
        )
