"""The configuration of a run from Python: the arguments of `solve` as a configuration file of the command line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import torch
import yaml
from torch import nn

from pinnlab.collocation.datamodule import Collocation
from pinnlab.engines import Engine
from pinnlab.equations import Equation
from pinnlab.reporting.description import IndescribableError, build, describe
from pinnlab.training.phases import Phase


def configuration(model: Mapping[str, Any], data: Collocation, trainer: Mapping[str, Any], seed: int) -> str:
    """The text of a configuration from which equation and network can be built again, where they can be.

    Args:
        model: The arguments of `PINN` by name.
        data: The points.
        trainer: Options of the trainer; those that are no plain data are left out.
        seed: Of weights and points.

    Returns:
        YAML, with a comment for each part that plain data cannot describe.
    """
    notes: list[str] = []

    def described(part: str, value: Any, otherwise: Any) -> Any:
        try:
            return _equation(value) if isinstance(value, Equation) else describe(value)
        except IndescribableError as error:
            notes.append(f"# {part} cannot be built from this file: {' '.join(str(error).split())}\n")
            return otherwise

    options = {}
    for name, value in trainer.items():
        with suppress(IndescribableError):
            options[name] = describe(value)
    phases: Sequence[Phase] = model["phases"]
    names = [{"class_path": phase.name, "init_args": {"steps": phase.steps}} for phase in phases]
    engine: Engine = model["engine"]
    network: Callable[[int, int], nn.Module] = model["network"]
    settings = {
        "seed_everything": seed,
        "trainer": options,
        "model": {
            "equation": described("the equation", model["equation"], model["equation"].name),
            "network": described("the network", network, getattr(network, "__name__", type(network).__name__)),
            "engine": described("the engine", engine, type(engine).__name__),
            "phases": described("the list of phases", phases, names),
            "sobolev": described("the list of Sobolev weights", model["sobolev"], None),
            "weights": described("the list of weights", model["weights"], None),
            "balancing": described("the balancing", model["balancing"], None),
            "hard": model["hard"],
        },
        "data": {
            "points": data.points or None,
            "sampler": described("the sampler", data.sampler, type(data.sampler).__name__),
            "resample_every": data.resample_every,
            "seed": data.seed,
            "held_out": data.held_out,
        },
    }
    return "".join(notes) + yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


def _equation(equation: Equation) -> Any:
    """The description of an equation, if an equation made from it equals this one.

    Raises:
        IndescribableError: if it is not: an attribute was set from outside, say.
    """
    found = describe(equation)
    with torch.random.fork_rng(devices=[]):
        try:
            again = build(found)
        except Exception as error:
            raise IndescribableError(f"{equation.name} cannot be made again: {error}") from error
    for name, value in _state(equation).items():
        if _state(again).get(name) != value:
            raise IndescribableError(f"{equation.name} is not as it was made: {name} was changed")
    return found


def _state(equation: Equation) -> dict[str, Any]:
    """The comparable state of an equation: plain attributes, starts and bounds of unknowns, shapes of parameters."""
    plain = {name: value for name, value in vars(equation).items() if name != "made_with" and not name.startswith("_")}
    unknowns = {name: (u.start, u.bounds and tuple(u.bounds), u.linear) for name, u in equation.unknowns().items()}
    shapes = {name: tuple(value.shape) for name, value in equation.state_dict().items()}
    return {name: _plain(value) for name, value in plain.items()} | unknowns | shapes


def _plain(value: Any) -> Any:
    """A value as far as it can be compared: tuples as lists, as a configuration gives them back."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return value if value is None or isinstance(value, bool | int | float | str) else type(value).__name__
