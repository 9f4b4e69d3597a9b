"""The settings of Lightning and torch that training needs, from the command line and from `pinnlab.solve` alike."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from pinnlab.collocation.datamodule import Collocation
from pinnlab.errors import UserError
from pinnlab.residuals.inspection import inspect
from pinnlab.residuals.jacobian.affinity import check_affine
from pinnlab.training.pinn import PINN
from pinnlab.training.setup.normals import check_normals

TRAINER_DEFAULTS: dict[str, Any] = {
    "precision": "64-true",
    "devices": 1,
    # the phases say when a run ends; the whole run is one epoch, for an epoch's end costs as much as many steps
    "max_epochs": 1,
    "log_every_n_steps": 10,
    "num_sanity_val_steps": 0,
    # errors and residuals of held-out points need derivatives
    "inference_mode": False,
    # every rank samples its own share
    "use_distributed_sampler": False,
    # the run record keeps metrics, checkpoints and progress
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}
"""Defaults of the trainer."""


def bind(model: PINN, data: Collocation) -> None:
    """Give the data the constraints of the model's equation, the length of the run and where it begins.

    Raises:
        UserError: if the data's configuration names a constraint that the equation lacks.
    """
    data.bind(model.equation.constraints())
    data.steps = sum(phase.steps for phase in model.schedule.phases)
    data.first_step = lambda: model.schedule.step


def check(model: PINN, data: Collocation) -> None:
    """Evaluate the residuals at the points of the first step, so that a mistake is found before a run begins.

    All stages of the network take part, and the optimisers of all phases are built.

    Raises:
        UserError: if an operation of the network or a residual has no derivatives of the order that is needed, a row
            sees other points than its own, a residual or its gradient is not finite somewhere, a residual is not affine
            in an unknown that is declared linear, a normal points into the region of the equation, an optimiser
            cannot be built, or points change whose weights balancing keeps.
    """
    for phase in model.schedule.phases:
        try:
            phase.optimizer(model.stages.parameters(phase))
        except ValueError as error:
            raise UserError(f"{phase.name}: {error}") from error
    model.balancer.check(data.changes)
    batch = data.batch(0)
    with model.stages.together():
        inspect(model.residuals, batch)
        check_affine(model.residuals, batch)
        check_normals(model.residuals, batch)


def precision_dtype(precision: str | int | None) -> torch.dtype:
    """The dtype in which parameters are drawn and points are sampled under a trainer's `precision`."""
    return torch.float64 if str(precision) in ("64", "64-true") else torch.float32


@contextmanager
def without_warnings() -> Iterator[None]:
    """Leave out the warnings that are Lightning's and the parser's own affair, about which a user could do nothing."""
    with warnings.catch_warnings():
        # its use of torch
        warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated")
        # the parser's use of itself, where an argument of a class has no type
        warnings.filterwarnings("ignore", message="(?s).*(JsonargparseDeprecationWarning|accepts any value)")
        # one process beside a queue is no mistake
        warnings.filterwarnings("ignore", message="The `srun` command is available")
        yield


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Make `dtype` the default within the block.

    Lightning's precision setting does so inside of steps only, which would leave the initial weights rounded
    to float32.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
