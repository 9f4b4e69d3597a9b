"""Metrics of a run on held-out points: residuals, errors, and a posteriori error estimates."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torchmetrics import MaxMetric, Metric, SumMetric

from pinnlab.equations.domain import home
from pinnlab.errors import UserError
from pinnlab.geometry import Points
from pinnlab.jets import Field, IndexSet
from pinnlab.networks import Windows
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
      double-double arithmetic, at some of the points; where they differ, the residual is made of rounding errors.
      Missing, with a warning, where an operation has no rule for that.
    - `uncertainty_NAME`: an a posteriori estimate of the error of an unknown, or of the largest error of an output, see
      `error_estimates`. Missing, with a warning, where an operation has no rule for that; missing for `Windows`.
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
        plain, weighted = _blocks(unweighted, batch, unweighted.weighting), _blocks(self.residuals, batch, weighting)
        for name, block in plain.items():
            self._metrics[f"residual_{name}"].update(block)
        self._metrics["held_out_loss"].update(Residuals.loss(weighted))
        some = subsampled(self.residuals, batch)
        try:
            precise = Precise(self.residuals, some)
            exact = precise.blocks(unweighted, unweighted.weighting)
            exact_weighted = precise.blocks(self.residuals, weighting)
            rounded_weighted = _blocks(self.residuals, some, weighting)
            rounding_errors = _rounding_errors(exact_weighted, rounded_weighted, weighting)
            if not self._in_windows:
                self.estimates = error_estimates(self.residuals, batch, trained, rounding_errors)
        except UserError as error:
            logging.getLogger("pinnlab").warning("pinnlab: errors are not estimated, nor residuals precise: %s", error)
        else:
            for name, estimate in self.estimates.errors.items() if self.estimates is not None else ():
                self._metric(f"uncertainty_{name}", MaxMetric).update(estimate)
            rounded = _blocks(unweighted, some, unweighted.weighting)
            for name, block in _representing(exact, rounded, plain).items():
                self._metric(f"residual_{name}_precise", RootMeanSquare).update(block)
            for name, block in _representing(exact_weighted, rounded_weighted, weighted).items():
                loss = block.square().mean() * weighted[name].numel()
                self._metric("held_out_loss_precise", SumMetric).update(loss)
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

    @property
    def _in_windows(self) -> bool:
        """Whether parts of the network are tied by no constraint: a correction of one of them costs no residual."""
        return any(isinstance(part, Windows) and part.ends for part in self.residuals.network.modules())

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


def _blocks(residuals: Residuals, points: Mapping[str, Points], weighting: Weighting) -> dict[str, Tensor]:
    """The residual blocks in floating point, for their values alone."""
    with torch.enable_grad():
        return {name: block.detach() for name, block in residuals(points, weighting).items()}


def _rounding_errors(
    exact: Mapping[str, Tensor], rounded: Mapping[str, Tensor], weighting: Weighting
) -> dict[str, float]:
    """The root mean square of the rounding errors of a constraint's rows, without the factor 1/√N of a mean."""
    return {
        name: math.sqrt(weighting[name].count * float((rounded[name] - block).square().mean()))
        for name, block in exact.items()
    }


def _representing(
    exact: Mapping[str, Tensor], rounded: Mapping[str, Tensor], every: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Exact blocks at some points, scaled to the mean square that they would have at all points.

    The residual r in floating point is known at all points, and is a control variate for the exact residual p:

        mean p² ≈ mean_s p² + β (mean r² − mean_s r²),    β = cov_s(p², r²) / var_s(r²),

    with means, covariance and variance over the sample s. Where rounding errors are small p = r and β = 1, so that the
    result is the mean at all points; where they are all of r, β is near 0, and it is the mean over the sample.

    Args:
        exact: Blocks in double-double arithmetic at some of the points.
        rounded: The same blocks in floating point.
        every: The blocks in floating point at all points.
    """
    found = {}
    for name, block in exact.items():
        p, r = block.square(), rounded[name].square()
        spread = r - r.mean()
        variance = spread.square().sum()
        slope = (spread * p).sum() / variance if variance > 0 else 0.0
        mean = p.mean() + slope * (every[name].square().mean() - r.mean())
        found[name] = block * (mean / p.mean()).sqrt() if mean > 0 and p.any() else block
    return found
