"""What a run is judged by: residuals and errors on held-out points, with how far they can be trusted."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torchmetrics import MaxMetric, Metric, SumMetric

from pinnlab.equations.domain import home
from pinnlab.errors import UserError
from pinnlab.geometry import Points, size
from pinnlab.jets import Field, IndexSet
from pinnlab.residuals import Residuals
from pinnlab.residuals.precise import Precise, subsampled
from pinnlab.residuals.weighting import Weighting
from pinnlab.training.evaluation.error_estimates import ErrorEstimates, error_estimates
from pinnlab.training.evaluation.findings import findings
from pinnlab.training.evaluation.metrics import MaxError, RelativeL2, RootMeanSquare


class Evaluation:
    """Residuals, loss and errors over the batches of one evaluation, on all ranks.

    - `residual_NAME`: root mean square of a constraint's residual, without weights; `held_out_loss`: the loss.
    - `residual_NAME_precise`, `held_out_loss_precise`: the same with network, derivatives and residual in
      double-double arithmetic; where they differ, rounding is what is left of the residual. On some of the points
      if the network is large. Missing, with a warning, where an operation has no rule for that.
    - `uncertainty_NAME`: an estimate of an unknown's error, and of the largest error of an output, made without the
      exact solution: see `error_estimates`. Missing, with a warning, where an operation has no rule for that.
    - `relative_l2`, `max_error` and `error_NAME` against the exact solution and unknowns, where they are known; with
      several outputs also for each, as `max_error_u`.

    Args:
        residuals: The residuals that were trained.
        device: Where they are evaluated.

    Attributes:
        estimates: What the estimates of the last batch are made of; None where there are none.
    """

    def __init__(self, residuals: Residuals, device: torch.device) -> None:
        self.residuals, self.device = residuals, device
        self.estimates: ErrorEstimates | None = None
        self._points: Mapping[str, Points] = {}
        equation = residuals.equation
        self._metrics: dict[str, Metric] = {f"residual_{name}": RootMeanSquare() for name in equation.constraints()}
        self._metrics["held_out_loss"] = SumMetric()
        if equation.solved:
            keys = ["", *(f"_{name}" for name in equation.outputs if len(equation.outputs) > 1)]
            self._metrics |= {f"relative_l2{key}": RelativeL2() for key in keys}
            self._metrics |= {f"max_error{key}": MaxError() for key in keys}
        for metric in self._metrics.values():
            metric.to(device)

    def update(
        self,
        batch: Mapping[str, Points],
        weighting: Weighting,
        trained: Mapping[str, Points] | None = None,
    ) -> None:
        """Count a batch.

        Args:
            batch: Constraint name -> its points, the same on all ranks.
            weighting: The factors on rows.
            trained: The points of training, from which errors are estimated as well.
        """
        self._points = batch
        unweighted = self.residuals.unweighted()
        sums = unweighted.weighting  # the metric takes the mean
        with torch.enable_grad():
            for name, block in unweighted(batch, sums).items():
                self._metrics[f"residual_{name}"].update(block.detach())
            loss = Residuals.loss(self.residuals(batch, weighting))
        self._metrics["held_out_loss"].update(loss.detach())
        some = subsampled(self.residuals, batch)
        # the mean is over these
        shares = {name: weighting[name].count * size(some[name]) / size(points) for name, points in batch.items()}
        fewer = weighting.over(shares)
        try:
            exactly = Precise(self.residuals, some)
            blocks, weighted = exactly.blocks(unweighted, sums), exactly.blocks(self.residuals, fewer)
            self.estimates = error_estimates(self.residuals, batch, trained, self._rounding(some, weighted, fewer))
        except UserError as error:
            logging.getLogger("pinnlab").warning("pinnlab: errors are not estimated, nor residuals precise: %s", error)
        else:
            for name, estimate in self.estimates.errors.items():
                self._metric(f"uncertainty_{name}", MaxMetric).update(estimate)
            for name, block in blocks.items():
                self._metric(f"residual_{name}_precise", RootMeanSquare).update(block)
            self._metric("held_out_loss_precise", SumMetric).update(Residuals.loss(weighted))
        if self.residuals.equation.solved:
            self._compare(batch)

    def findings(self, loss: float | None) -> list[str]:
        """Sentences that say what is wrong with the solution, see `findings`.

        Args:
            loss: Where training ended, if that is known.
        """
        if self.estimates is None:
            return []
        return findings(
            self.residuals, self.estimates, self._points, (loss, float(self._metrics["held_out_loss"].compute()))
        )

    def compute(self) -> dict[str, Tensor | float]:
        """The figures by name."""
        values: dict[str, Tensor | float] = {
            # an evaluation that failed on the way has not got to all
            name: metric.compute()
            for name, metric in self._metrics.items()
            if metric.update_called
        }
        for name, unknown in self.residuals.equation.unknowns().items():
            if unknown.truth is not None:
                values[f"error_{name}"] = abs(float(unknown.value.detach()) - unknown.truth)
        return values

    def _rounding(
        self, points: Mapping[str, Points], exact: Mapping[str, Tensor], weighting: Weighting
    ) -> dict[str, float]:
        """The root mean square of what rounding does to a constraint's rows, as if each was of one point alone."""
        with torch.enable_grad():
            rounded = self.residuals(points, weighting)
        return {
            name: math.sqrt(weighting[name].count * float((rounded[name].detach() - block).square().mean()))
            for name, block in exact.items()
        }

    def _metric(self, name: str, kind: type[Metric]) -> Metric:
        if name not in self._metrics:
            self._metrics[name] = kind().to(self.device)
        return self._metrics[name]

    def _compare(self, batch: Mapping[str, Points]) -> None:
        equation = self.residuals.equation
        constraints = equation.constraints()
        values: dict[str, tuple[dict[str, Field], dict[str, Field]]] = {}
        for name in equation.outputs:
            # an output of one part of the region is compared there
            where = home(equation, name)
            if where not in values:
                points = constraints[where].flat(batch[where])
                with torch.enable_grad():
                    found = self.residuals.fields(points, IndexSet.simplex(equation.dimension, 0))
                    values[where] = found, equation.solution(points)
            pair = tuple(fields[name].value.detach() for fields in values[where])
            for key in ["", *([f"_{name}"] if len(equation.outputs) > 1 else [])]:
                self._metrics[f"relative_l2{key}"].update(*pair)
                self._metrics[f"max_error{key}"].update(*pair)
