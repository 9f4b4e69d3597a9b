"""A rehearsal: evaluation, exact solution, record and the metrics of callbacks are tried before the training."""

from __future__ import annotations

import difflib
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from lightning.pytorch import Callback

from pinnlab.collocation.datamodule import Collocation
from pinnlab.equations.base import twin
from pinnlab.equations.constraints import domain
from pinnlab.errors import UserError
from pinnlab.geometry import Points, select
from pinnlab.reporting.record.arrays import exact_arrays, point_arrays, solution_arrays
from pinnlab.reporting.record.record import columns
from pinnlab.training.evaluation.held_out import Evaluation
from pinnlab.training.failures import reason
from pinnlab.training.pinn import PINN


def rehearse(model: PINN, data: Collocation, callbacks: Sequence[Callback] = ()) -> None:
    """Tries everything that comes after the training on two points of each constraint, so that mistakes are found now.

    Args:
        model: The module that is to be trained; it stays as it is.
        data: Its points.
        callbacks: The callbacks of the user.

    Raises:
        UserError: if something fails, a callback waits for a metric that there will not be, or an unknown has the
            name of a column of the record or of a metric.
    """
    _check_columns(model)
    few = {name: select(points, slice(2)) for name, points in data.held_out_batch().items()}
    name = domain(model.equation.constraints())
    try:
        with torch.random.fork_rng(devices=[]), model.stages.together(), _another_equation(model), _quiet():
            with _tried("the record of the solution"):
                some = model.equation.constraints()[name].flat(few[name])
                solution_arrays(model, name, some)
                exact_arrays(model, some)
                point_arrays(data, model.equation, 0)
            with _tried("the evaluation on held-out points"):
                metrics = _metrics(model, few)
    except UserError:
        raise
    except _NUMBERS:
        # numbers alone make it fail, and they are others after the training
        return
    for unknown in model.equation.unknowns():
        if unknown in metrics:
            raise UserError(
                f"{model.equation.name}: an unknown cannot be called {unknown!r}, which is a metric of the run; choose "
                "another name"
            )
    _check_monitors(callbacks, metrics)


@contextmanager
def _another_equation(model: PINN) -> Iterator[None]:
    """Within the block the module has a copy of its equation, for a residual may keep state of its own."""
    residuals = model.residuals
    own, residuals.equation = residuals.equation, twin(residuals.equation)
    try:
        yield
    finally:
        residuals.equation = own


def _metrics(model: PINN, few: dict[str, Points]) -> list[str]:
    evaluation = Evaluation(model.residuals, model.device)
    evaluation.update(few, model.residuals.over(few))
    return list(evaluation.compute())


def _check_columns(model: PINN) -> None:
    names = columns(model)
    for unknown in model.equation.unknowns():
        # tables name the steps of a run so
        if names.count(unknown) > 1 or unknown == "steps":
            raise UserError(
                f"{model.equation.name}: an unknown cannot be called {unknown!r}, which is a column of the record; "
                "choose another name"
            )


def _check_monitors(callbacks: Sequence[Callback], metrics: Sequence[str]) -> None:
    """Refuse a monitor that there will not be, unless a callback of the user's own may log it."""
    if any(type(callback).__module__.split(".")[0] not in _KNOWN for callback in callbacks):
        return
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor not in metrics and getattr(callback, "strict", True):
            near = difflib.get_close_matches(monitor, metrics, n=1, cutoff=0.4)
            raise UserError(
                f"{type(callback).__name__}: there is no metric {monitor!r}"
                f"{f' (did you mean {near[0]!r}?)' if near else ''}; there are {', '.join(metrics)}"
            )


_KNOWN = ("lightning", "pytorch_lightning", "pinnlab")
"""The packages whose callbacks log no metrics."""


_NUMBERS = (torch.linalg.LinAlgError, ArithmeticError, ValueError)  # type: ignore[attr-defined]
"""The errors that numbers alone make: a matrix without inverse, a logarithm of 0."""


@contextmanager
def _tried(what: str) -> Iterator[None]:
    """Turns an error into one line, except errors that numbers alone can cause."""
    try:
        yield
    except (UserError, *_NUMBERS):
        raise
    except Exception as error:
        raise UserError(f"{what}, which comes after the training, would fail: {reason(error)}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Mutes the log and the warnings of the evaluation, which come again after the training."""
    logger = logging.getLogger("pinnlab")
    before, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before
