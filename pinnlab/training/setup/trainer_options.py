"""Options of Lightning's trainer: which of them work with phases, and what to do in place of the others."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import (
    BaseFinetuning,
    BatchSizeFinder,
    EarlyStopping,
    GradientAccumulationScheduler,
    LearningRateFinder,
    LearningRateMonitor,
    ModelCheckpoint,
    ModelPruning,
    SpikeDetection,
    StochasticWeightAveraging,
    ThroughputMonitor,
    WeightAveraging,
)
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy

from pinnlab.errors import UserError

_LENGTH = "the phases say how long a run is: give them their steps, with tolerance and plateau to end them sooner"
_BATCH = "a step takes all points of a run at once; data.points says how many"

_ALLOWED: dict[str, tuple[tuple[Any, ...], str]] = {
    "fast_dev_run": ((False,), "give the phases few steps"),
    "max_epochs": ((1,), _LENGTH),
    "min_epochs": ((None, 0, 1), _LENGTH),
    "max_steps": ((-1,), _LENGTH),
    "min_steps": ((None, 0), _LENGTH),
    "limit_train_batches": ((None, 1.0), _LENGTH),
    "limit_val_batches": ((None, 0, 1.0), "1 evaluates on held-out points, and 0 does not"),
    "limit_test_batches": ((None, 1.0), "data.held_out says on how many points"),
    "limit_predict_batches": ((None, 1.0), "data.held_out says on how many points"),
    "overfit_batches": ((0,), _BATCH),
    "check_val_every_n_epoch": ((None, 1), "the whole run is one epoch; val_check_interval counts steps"),
    "reload_dataloaders_every_n_epochs": ((0,), "data.resample_every draws fresh points"),
    "accumulate_grad_batches": ((1,), _BATCH),
    "gradient_clip_val": ((None, 0), "the phases take their steps themselves; choose a smaller lr"),
    "gradient_clip_algorithm": ((None,), "the phases take their steps themselves; choose a smaller lr"),
    "inference_mode": ((False,), "held-out residuals need derivatives"),
    "use_distributed_sampler": ((False,), "each process takes its share of the points by itself"),
    "sync_batchnorm": ((False,), "a network must not mix the points of a batch"),
    "barebones": ((False,), "it would leave out the evaluation; log_every_n_steps spaces the record"),
    "precision": ((64, "64", "64-true", 32, "32", "32-true"), "derivatives need the digits of 64-true, or of 32-true"),
}
"""The values of options that work with phases, and what to do in place of other values."""

_CALLBACKS: dict[type[Callback], str] = {
    LearningRateMonitor: "the record has the learning rate of each logged step, in its column optimiser/lr",
    LearningRateFinder: "give the phases their lr",
    BatchSizeFinder: _BATCH,
    GradientAccumulationScheduler: _BATCH,
    StochasticWeightAveraging: "the optimisers are the phases'; Adam's schedule lowers its learning rate",
    WeightAveraging: "the optimisers are the phases'; Adam's schedule lowers its learning rate",
    BaseFinetuning: "a Staged network freezes what its phases do not train",
    ModelPruning: "give the network another width",
    SpikeDetection: "a loss that is not finite ends the run by itself",
    ThroughputMonitor: "the record has the seconds of each logged step",
}
"""Callbacks of Lightning that do not work with phases, and what to do in their place."""


def check_options(options: Mapping[str, Any], steps: int | None = None) -> None:
    """Refuses options of the trainer that would have no effect, or end or break a run in the middle of its phases.

    Args:
        options: The options by name; those left out have the package's defaults.
        steps: The steps of all phases together, where they are known.

    Raises:
        UserError: naming the option and what to do.
    """
    known = inspect.signature(Trainer.__init__).parameters
    for name in options:
        if name not in known:
            raise UserError(f"the trainer cannot be made: it has no option {name!r}")
    for name, (allowed, advice) in _ALLOWED.items():
        if name in options and options[name] not in allowed:
            raise UserError(f"trainer.{name}: {options[name]} is not for a run of phases: {advice}")
    every = options.get("log_every_n_steps")
    if every is not None and every < 1:
        raise UserError(f"trainer.log_every_n_steps: must be positive, not {every}")
    interval = options.get("val_check_interval")
    if isinstance(interval, int | float) and interval <= 0:
        raise UserError(f"trainer.val_check_interval: must be positive, not {interval}")
    if steps is not None and isinstance(interval, int) and interval > steps:
        raise UserError(f"trainer.val_check_interval: {interval} steps are more than the {steps} of all phases")
    for callback in listed(options.get("callbacks")):
        for kind, advice in _CALLBACKS.items():
            if isinstance(callback, kind):
                raise UserError(f"trainer.callbacks: {type(callback).__name__} is not for a run of phases: {advice}")
        _check_monitor(callback, interval)


def listed(value: Any) -> list[Any]:
    """An option of the trainer that may be several things, one thing or nothing, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def settled(options: Mapping[str, Any], steps: int | None) -> dict[str, Any]:
    """The options with which a trainer of a run is made.

    Args:
        options: The options by name.
        steps: The steps of all phases together, where they are known.

    Raises:
        UserError: for an option that a run of phases cannot take.
    """
    check_options(options, steps)
    found = dict(options)
    if steps is not None:
        found["log_every_n_steps"] = max(1, min(options.get("log_every_n_steps") or 1, steps))
    if SLURMEnvironment.detect():
        # Lightning's own requeueing saves in the middle of a step; the scripts requeue by the exit status
        found["plugins"] = [*listed(options.get("plugins")), SLURMEnvironment(auto_requeue=False)]
    return found


def make_trainer(options: Mapping[str, Any], callbacks: Sequence[Callback]) -> Trainer:
    """Lightning's trainer with these options and callbacks.

    Raises:
        UserError: if this machine or Lightning does not have what an option asks for.
    """
    with building():
        trainer = Trainer(**{**options, "callbacks": list(callbacks)})
    _check_strategy(trainer)
    return trainer


@contextmanager
def one_line() -> Iterator[None]:
    """Turns an error of Lightning about options that this machine cannot follow into one line.

    Raises:
        UserError: for a device, strategy, logger or combination of options that is not there.
    """
    try:
        yield
    except (MisconfigurationException, ModuleNotFoundError) as error:
        raise UserError(_said(error)) from error


@contextmanager
def building() -> Iterator[None]:
    """As `one_line`, where a trainer is built and every error is one of its options.

    Raises:
        UserError: as `one_line`, and for what is not installed.
    """
    try:
        with one_line():
            yield
    except UserError:
        raise
    except (ValueError, TypeError, RuntimeError, ImportError) as error:
        raise UserError(_said(error)) from error


def check_processes(trainer: Trainer, environment: Mapping[str, str]) -> None:
    """Makes sure that SLURM starts as many tasks as there are processes.

    Args:
        trainer: The trainer.
        environment: The variables of a job step.

    Raises:
        UserError: if it does not: too many tasks would overwrite each other's record.
    """
    tasks = environment.get("SLURM_NTASKS", "")
    if tasks.isdigit() and int(tasks) != trainer.world_size:
        raise UserError(
            f"SLURM starts {tasks} tasks, but trainer.devices × trainer.num_nodes is {trainer.num_devices} × "
            f"{trainer.num_nodes}: set --trainer.devices to the tasks of a node and --trainer.num_nodes to the nodes"
        )


def _check_strategy(trainer: Trainer) -> None:
    """Every process must hold all parameters, for phases step all of them at once."""
    if not isinstance(trainer.strategy, SingleDeviceStrategy | DDPStrategy):
        raise UserError(
            f"trainer.strategy: {type(trainer.strategy).__name__} is not for a run of phases, which step all "
            "parameters at once: choose auto or ddp"
        )


def _check_monitor(callback: Callback, interval: Any) -> None:
    """A callback that watches a held-out metric needs one to be evaluated before the end."""
    monitor = getattr(callback, "monitor", None)
    if not isinstance(callback, EarlyStopping | ModelCheckpoint) or monitor is None:
        return
    name = type(callback).__name__
    at_the_end = getattr(callback, "_check_on_train_epoch_end", getattr(callback, "_save_on_train_epoch_end", None))
    # to Lightning 1.0 is one epoch, which is the whole run, and 1 is one step
    if interval is None or (isinstance(interval, float) and interval == 1.0) or at_the_end:
        raise UserError(
            f"trainer.callbacks: {name} would look at {monitor} once, when the run is over: set "
            "trainer.val_check_interval to the steps between two evaluations (and no check_on_train_epoch_end), or use "
            "the rules of the phases, tolerance and plateau"
        )


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())[:300].rstrip(".")
    return f"trainer: {text}; set trainer.accelerator, trainer.devices and its other options to what is there"
