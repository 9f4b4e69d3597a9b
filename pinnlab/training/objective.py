"""The least-squares loss of one batch, as the optimiser of a phase sees it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from pinnlab.equations import Unknown
from pinnlab.errors import DivergedError
from pinnlab.geometry import Points
from pinnlab.optimisers.bounds import Box
from pinnlab.ranks import Ranks
from pinnlab.residuals import Residuals
from pinnlab.residuals.inspection import at
from pinnlab.residuals.jacobian.stored import StoredOutputs
from pinnlab.residuals.weighting import Weighting


def term_losses(blocks: Mapping[str, Tensor], ranks: Ranks) -> dict[str, float]:
    """Each constraint's share of the loss, ‖r_c‖² over all ranks; they add up to the loss.

    Args:
        blocks: Weighted residual blocks, constraint name -> `(rows, N)`.
        ranks: Who holds the other points.
    """
    sums = ranks.sum(torch.stack([block.detach().square().sum() for block in blocks.values()]))
    return dict(zip(blocks, sums.tolist(), strict=True))


class Objective:
    """The loss ‖r‖² of one batch, with everything about it fixed: points and weighting.

    A phase evaluates it as often as its line search asks; nothing changes between two evaluations but the
    parameters. First-order phases use `closure`; second-order phases use the residual vector, `blocks`.

    Linear unknowns have their least-squares values in every evaluation (variable projection). Evaluations do not write
    these values to the unknowns; `settle` does so once, between two steps.

    Args:
        residuals: The module that maps points to weighted residual blocks.
        points: Constraint name -> points, the batch of this step: this rank's share.
        weighting: The factors on rows; by default those of the configuration, with means over these points.
        ranks: Who holds the other points; this process alone by default.
        where: Step and phase in words, for error messages.
        held: Freeze the linear unknowns at their values; otherwise they have their least-squares values.
        outputs: The features of networks that are affine in what is trained, which several steps may share.
    """

    def __init__(
        self,
        residuals: Residuals,
        points: Mapping[str, Points],
        *,
        weighting: Weighting | None = None,
        ranks: Ranks | None = None,
        where: str = "",
        held: bool = False,
        outputs: StoredOutputs | None = None,
    ) -> None:
        # the constraints are built once for all evaluations
        self.residuals = residuals.prepared()
        self.points = points
        self.weighting = weighting or residuals.over(points)
        self.ranks = ranks or Ranks()
        self.where = where
        self.held = held
        self.outputs = outputs or StoredOutputs()
        self.evaluations = 0
        """How often the residuals were evaluated in this step."""
        self.first_blocks: dict[str, Tensor] = {}
        """The blocks of the first evaluation, detached: where the step started."""
        self.first_values: dict[str, float] = {}
        """The values of the linear unknowns in that evaluation; none if the unknowns are frozen."""
        self._found: Mapping[str, float] | None = None

    def blocks(self) -> dict[str, Tensor]:
        """The weighted residual blocks at the linear unknowns' least-squares values: constraint name -> `(rows, N)`."""
        blocks, values = self._evaluate()
        if self.evaluations == 0:
            self.first_blocks = {name: block.detach() for name, block in blocks.items()}
            self.first_values = values
        self.evaluations += 1
        return blocks

    def _evaluate(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        if self.held:
            return self.residuals(self.points, self.weighting), {}
        reduced = self.residuals.reduced(self.points, self.weighting, self.ranks)
        return reduced.blocks, reduced.values

    def box(self, parameters: Sequence[Tensor]) -> Box | None:
        """The bounds of the unknowns among the parameters of an optimiser; None without any."""
        return box(parameters, self.residuals.equation.unknowns())

    def found(self, values: Mapping[str, float]) -> None:
        """Takes the values of the linear unknowns where the step ended, from a phase that knows them."""
        self._found = values

    def settle(self) -> None:
        """Accepts where a step ended: the one place that writes unknowns, other than an optimiser its parameters.

        The linear unknowns get their least-squares values for the present network at these points. Unknowns that an
        optimiser left outside of their bounds return to them. It costs one evaluation without gradients if there are
        linear unknowns and the phase does not know their values.
        """
        unknowns = self.residuals.equation.unknowns()
        for unknown in unknowns.values():
            unknown.project()
        if self._found is None and any(unknown.linear for unknown in unknowns.values()):
            with torch.no_grad():
                self._found = self._evaluate()[1]
        for name, value in (self._found or {}).items():
            with torch.no_grad():
                unknowns[name].parameter.fill_(value)

    def began(self, blocks: Mapping[str, Tensor], values: Mapping[str, float], loss: float) -> None:
        """Takes the blocks, the linear unknowns and the loss over all ranks where the step started.

        From a phase that evaluates them itself.

        Raises:
            DivergedError: if the loss is NaN or infinite.
        """
        self.first_blocks, self.first_values = dict(blocks), dict(values)
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

    def fixed(self, loss: float) -> float:
        """The loss where the step started with the fixed weights alone, so that losses of all steps can be compared.

        Args:
            loss: The loss that was minimised, which is returned if there is no balancing.
        """
        if not self.weighting.balances:
            return loss
        return float(self.ranks.sum(self.residuals.loss(self.weighting.unbalanced(self.first_blocks))))

    def shares(self) -> dict[str, float]:
        """Each constraint's share of the loss where the step started, with the fixed weights."""
        return term_losses(self.weighting.unbalanced(self.first_blocks), self.ranks)

    def closure(self, optimizer: Optimizer, scale: float = 1.0) -> Callable[[], Tensor]:
        """What `optimizer.step` calls: clears the gradients, evaluates `scale` times the loss and its gradient.

        Loss and gradient are sums over all ranks, made in one exchange, so that updates and line searches are the
        same on every rank.

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


def box(parameters: Sequence[Tensor], unknowns: Mapping[str, Unknown]) -> Box | None:
    """The bounds among some parameters, which are flattened one after another; None without any.

    Args:
        parameters: What an optimiser moves.
        unknowns: The unknowns of the equation.
    """
    bounded = {id(unknown.parameter): unknown for unknown in unknowns.values() if unknown.bounds is not None}
    found: list[tuple[int, float, float]] = []
    position = 0
    for p in parameters:
        if id(p) in bounded and p.requires_grad:
            found.append((position, *bounded[id(p)].limits))
        position += p.numel()
    if not found:
        return None
    where, low, high = zip(*found, strict=True)
    like = parameters[0]
    return Box(torch.tensor(where, device=like.device), like.new_tensor(low), like.new_tensor(high))
