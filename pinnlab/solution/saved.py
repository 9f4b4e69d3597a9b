"""Trained models, built again from what a run left."""

from __future__ import annotations

from argparse import ArgumentError
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from jsonargparse import ArgumentParser
from torch import Tensor, nn

from pinnlab.engines import Engine
from pinnlab.equations import Equation
from pinnlab.errors import UserError
from pinnlab.reporting.description import build
from pinnlab.reporting.folder import RunFolder
from pinnlab.reporting.sources import compare
from pinnlab.training.callbacks.checkpoint import verify
from pinnlab.training.phases import Adam
from pinnlab.training.pinn import PINN
from pinnlab.training.setup.settings import default_dtype, precision_dtype


def load_model(
    path: Path, equation: Equation | None = None, network: Callable[[int, int], nn.Module] | None = None
) -> tuple[PINN, torch.dtype]:
    """The module that a run trained, with the parameters of a checkpoint.

    Args:
        path: A run folder, for its newest checkpoint, or one of the checkpoints in it. Equations and networks from
            outside of pinnlab are imported by the class paths that the run was given.
        equation: The equation, in place of what the configuration says.
        network: What builds the network, likewise.

    Returns:
        The module on the CPU, and the dtype of its parameters.

    Raises:
        UserError: if there is no such run, it has no checkpoint, or the two do not fit.
    """
    checkpoint = _checkpoint(path)
    folder = RunFolder(run_of(checkpoint))
    if folder.begun.is_file() and not folder.config.is_file():
        raise UserError(f"the solve in {path} has not ended, and has no solution yet: give its command again")
    if not folder.config.is_file():
        raise UserError(f"{path} is no run folder: it has no {folder.config.name}")
    state = read_checkpoint(checkpoint)
    config = folder.read_config()
    if "pinnlab" not in state:
        raise UserError(f"{checkpoint} does not fit {folder.config}: one of them was not written by pinnlab")
    if not isinstance(config.get("model"), dict):
        raise UserError(f"{folder.config} is damaged, or was written by something else: it names no model")
    dtype = precision_dtype(config.get("trainer", {}).get("precision", "64-true"))
    with default_dtype(dtype):
        if state["pinnlab"]["settings"] and equation is None and network is None:
            # the file that configured the run says it as the parser reads it
            model = _parsed(config["model"])
        else:
            model = _built(config["model"], folder, equation, network)
    model.to(dtype)
    try:
        model.load_state_dict(state["state_dict"])
    except RuntimeError:
        raise UserError(f"{checkpoint} does not fit {folder.config}: it was written with another model") from None
    compare(folder, model.equation, model.residuals.network)
    return model.eval(), dtype


def read_solution(path: Path) -> dict[str, Tensor]:
    """The parameters that a run trained, by name; nothing of the run's own configuration is imported.

    Args:
        path: A run folder, for its newest checkpoint, or one of the checkpoints in it.

    Raises:
        UserError: if there is no such checkpoint, or it was not written by pinnlab.
    """
    if not path.exists():
        raise UserError(f"there is no run folder or checkpoint {path}")
    state = read_checkpoint(_checkpoint(path)).get("state_dict")
    if not isinstance(state, dict):
        raise UserError(f"{path} was not written by pinnlab")
    return state


def _checkpoint(path: Path) -> Path:
    return path if path.is_file() else RunFolder(path).checkpoints / "last.ckpt"


def run_of(checkpoint: Path) -> Path:
    """The run folder that a checkpoint lies in; its own folder, if that is not one of a run's."""
    return checkpoint.parent.parent if checkpoint.parent.name == "checkpoints" else checkpoint.parent


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint, without running any code that it may hold.

    Raises:
        UserError: if it does not exist, is damaged or is no checkpoint.
    """
    verify(path)
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return content


def _parsed(config: dict[str, Any]) -> PINN:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(PINN, "model", fail_untyped=False)
    try:
        parsed = parser.parse_object({"model": config})
    except ArgumentError as error:
        raise UserError(f"the configuration cannot be built again: {' '.join(str(error).split())}") from None
    model: PINN = parser.instantiate(parsed).model
    return model


def _built(
    config: Mapping[str, Any],
    folder: RunFolder,
    equation: Equation | None,
    network: Callable[[int, int], nn.Module] | None,
) -> PINN:
    """The module of what is given, and of what the configuration describes for the rest."""
    given: dict[str, Any] = {"equation": equation, "network": network}
    for part, value in given.items():
        if value is None and not isinstance(config.get(part), Mapping):
            raise UserError(
                f"{folder.config} does not tell how to make the {part} again: give it, as "
                f"pinnlab.load({str(folder.path)!r}, {part}=…)"
            )
    parts: dict[str, Any] = {part: build(config[part]) if value is None else value for part, value in given.items()}
    made = build(config["engine"])
    if not isinstance(made, Engine):
        raise UserError(f"{folder.config} does not tell how to make the engine again")
    hard = config.get("hard", False)
    # phases are how it was trained, and no part of what was
    return PINN(**parts, engine=made, phases=[Adam(0)], sobolev=build(config.get("sobolev")), hard=hard)
