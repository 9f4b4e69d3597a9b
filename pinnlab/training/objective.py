"""The least-squares loss of one batch, as the optimiser of a phase sees it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from torch import Tensor
from torch.optim import Optimizer

from pinnlab.errors import DivergedError
from pinnlab.geometry import Points
from pinnlab.residuals import Residuals


def identity(tensor: Tensor) -> Tensor:
    """The tensor itself: what a reduction over one rank is."""
    return tensor


def term_losses(blocks: Mapping[str, Tensor]) -> dict[str, float]:
    """Each constraint's share of the loss, ‖r_c‖²; they add up to the loss.

    Args:
        blocks: Weighted residual blocks, constraint name -> `(rows, N)`.
    """
    return {name: float(block.detach().square().sum()) for name, block in blocks.items()}


class Objective:
    """The loss ‖r‖² of one batch, with everything about it fixed: points, weights and totals.

    A phase evaluates it as often as its line search asks; nothing changes between two evaluations but the
    parameters. First-order phases use `closure`; second-order phases use the residual vector, `blocks`.

    Args:
        residuals: The module that maps points to weighted residual blocks.
        points: Constraint name -> points, the batch of this step.
        totals: Constraint name -> number of points over all ranks; None on one rank.
        backward: How gradients are accumulated, `Tensor.backward` outside of Lightning.
        reduce: Sums a loss over the ranks, so that every rank takes the same decisions.
        world_size: Number of ranks. Gradients are averaged over them, so each rank's loss is multiplied by it.
        where: Step and phase in words, for error messages.
    """

    def __init__(
        self,
        residuals: Residuals,
        points: Mapping[str, Points],
        *,
        totals: Mapping[str, int] | None = None,
        backward: Callable[[Tensor], None] = Tensor.backward,
        reduce: Callable[[Tensor], Tensor] = identity,
        world_size: int = 1,
        where: str = "",
    ) -> None:
        self.residuals = residuals
        self.points = points
        self.totals = totals
        self.where = where
        self.evaluations = 0
        """How often the residuals were evaluated in this step."""
        self.first_blocks: dict[str, Tensor] = {}
        """The blocks of the first evaluation, detached: where the step started."""
        self._backward = backward
        self.reduce = reduce
        self._world_size = world_size

    def blocks(self) -> dict[str, Tensor]:
        """The weighted residual blocks, linear unknowns eliminated: constraint name -> `(rows, N)`."""
        blocks = self.residuals.reduced(self.points, self.totals, self.reduce)
        if self.evaluations == 0:
            self.first_blocks = {name: block.detach() for name, block in blocks.items()}
        self.evaluations += 1
        return blocks

    def began(self, blocks: Mapping[str, Tensor]) -> None:
        """Takes the blocks where the step started from a phase that evaluates them itself.

        Raises:
            DivergedError: if they are NaN or infinite.
        """
        self.first_blocks = dict(blocks)
        if not math.isfinite(float(self.residuals.loss(blocks))):
            self._diverged(blocks)

    def loss(self) -> Tensor:
        """This rank's share of the loss, differentiable, 0-d.

        Raises:
            DivergedError: if it is NaN or infinite.
        """
        blocks = self.blocks()
        loss = self.residuals.loss(blocks)
        if not math.isfinite(loss.item()):
            self._diverged(blocks)
        return loss

    def value(self) -> float:
        """The loss over all ranks at the current parameters, without gradients.

        Raises:
            DivergedError: if it is NaN or infinite.
        """
        return float(self.reduce(self.loss().detach()))

    def closure(self, optimizer: Optimizer, scale: float = 1.0) -> Callable[[], Tensor]:
        """What `optimizer.step` calls: clears the gradients, evaluates `scale` times the loss and its gradient.

        The closure returns the scaled loss over all ranks, so that line searches agree on every rank.

        Raises:
            DivergedError: from the closure, if the loss is NaN or infinite.
        """

        def evaluate() -> Tensor:
            optimizer.zero_grad()
            loss = self.loss()
            self._backward(loss * (scale * self._world_size))
            return self.reduce(loss.detach()) * scale

        return evaluate

    def _diverged(self, blocks: Mapping[str, Tensor]) -> None:
        bad = [name for name, block in blocks.items() if not bool(block.isfinite().all())]
        # every block may be finite and only the sum of squares overflow: name the largest then
        name = bad[0] if bad else max(blocks, key=lambda key: float(blocks[key].detach().abs().max()))
        what = "NaN" if bool(blocks[name].isnan().any()) else "infinite"
        raise DivergedError(
            f"the residual of constraint {name!r} became {what} at {self.where}: "
            "try a smaller learning rate, fewer derivatives in the loss or other initial values"
        )
