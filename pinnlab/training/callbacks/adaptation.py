"""Points that follow the residual while a run goes on."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from pinnlab.collocation.adaptive import residual_adaptive
from pinnlab.collocation.datamodule import Collocation
from pinnlab.errors import UserError
from pinnlab.geometry import size
from pinnlab.training.pinn import PINN
from pinnlab.training.steps import StepReport


class ResidualAdaptive(Callback):
    """Draws a constraint's points anew every so many steps where its residual is large: RAD (Wu et al. 2023).

    Of uniformly spread candidates each is taken with a probability in proportion to |r|^k / mean(|r|^k) + c, with |r|
    the norm of the residual's components there: see `residual_adaptive`. The points are in the checkpoint, and the
    draws depend on the data's seed and the step alone, so that every rank and a resumed run find the same.

    Args:
        constraint: Whose points.
        every: Training steps between two draws; the first points are the sampler's.
        candidates: How many candidates to choose from.
        k: The power; a larger one sharpens the choice.
        c: The offset; a larger one flattens the choice.

    Raises:
        UserError: if a number is out of its range; when training begins, if there is no such constraint, or fewer
            candidates than it has points.
    """

    def __init__(
        self, constraint: str = "interior", every: int = 100, candidates: int = 10000, k: float = 1.0, c: float = 1.0
    ) -> None:
        if every < 1 or candidates < 1 or k < 0 or c < 0:
            raise UserError(
                "ResidualAdaptive: every and candidates must be positive, k and c not negative; got "
                f"every {every}, candidates {candidates}, k {k} and c {c}"
            )
        self.constraint, self.every, self.candidates, self.k, self.c = constraint, every, candidates, k, c

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse what cannot be done, before the first step."""
        data = _data(trainer)
        data.adaptive = True
        # a region of several parts needs as many candidates at least
        found = size(data.candidates(self.constraint, self.candidates))
        assert isinstance(pl_module, PINN)
        if pl_module.equation.constraints()[self.constraint].region.dimension == 0:
            raise UserError(f"ResidualAdaptive: the points of {self.constraint} are given, there are none to draw")
        wanted = data.totals[self.constraint]
        if found == 1:
            raise UserError(f"ResidualAdaptive: the nodes of {self.constraint} are one group, there are none to choose")
        if wanted > self.candidates:
            raise UserError(f"ResidualAdaptive: {wanted} points of {self.constraint} need more than {self.candidates}")

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Draw, if it is time."""
        assert isinstance(pl_module, PINN)
        report: StepReport = outputs["report"]
        step = report.step + 1
        if step % self.every:
            return
        data = _data(trainer)
        points = data.candidates(self.constraint, self.candidates, draw=step)
        there = {name: column.to(pl_module.device) for name, column in points.items()}
        residual = pl_module.residual_values({self.constraint: there})[self.constraint]
        generator = torch.Generator().manual_seed(data.seed * 1_000_003 + step)
        count = data.totals[self.constraint]
        magnitude = residual.norm(dim=0).cpu()
        chosen = residual_adaptive(points, magnitude, count, self.k, self.c, generator)
        assert size(chosen) == count
        data.replace(self.constraint, chosen)


def _data(trainer: Trainer) -> Collocation:
    data = trainer.datamodule  # type: ignore[attr-defined]
    assert isinstance(data, Collocation)
    return data
