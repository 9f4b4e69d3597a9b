"""Former names of classes and of their options, kept for one release: configurations and earlier runs have them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any

CLASSES = {
    "pinnlab.collocation.Graded": "pinnlab.collocation.Clustered",
    "pinnlab.collocation.samplers.Graded": "pinnlab.collocation.Clustered",
    "pinnlab.equations.Blasius": "pinnlab.problems.Blasius",
    "pinnlab.equations.Poisson": "pinnlab.problems.Poisson",
    "pinnlab.equations.SelfSimilarBurgers": "pinnlab.problems.SelfSimilarBurgers",
    "pinnlab.equations.ViscousBurgers": "pinnlab.problems.ViscousBurgers",
    "pinnlab.equations.burgers.BurgersAnsatz": "pinnlab.problems.parabolic.viscous_burgers.BurgersAnsatz",
    "pinnlab.geometry.At": "pinnlab.geometry.PointSet",
    "pinnlab.geometry.shapes.points.At": "pinnlab.geometry.PointSet",
    "pinnlab.geometry.spaced": "pinnlab.geometry.subsample",
    "pinnlab.training.Stall": "pinnlab.training.Plateau",
    "pinnlab.training.adaptation.ResidualAdaptive": "pinnlab.training.callbacks.ResidualAdaptive",
    "pinnlab.training.broyden.SSBFGS": "pinnlab.training.SSBFGS",
    "pinnlab.training.broyden.SSBroyden": "pinnlab.training.SSBroyden",
    "pinnlab.training.gauss_newton.GaussNewton": "pinnlab.training.GaussNewton",
    "pinnlab.training.phases.Stall": "pinnlab.training.Plateau",
    "pinnlab.training.phases.base.Stall": "pinnlab.training.Plateau",
}
"""The path of a class or function today, by its former path."""

_PHASE = {"below": "tolerance", "stall": "plateau"}

OPTIONS = {
    "NTP": {"rule": "composition"},
    "ViscousBurgers": {"moderation": "normalisation"},
    **dict.fromkeys(("Phase", "Adam", "LBFGS", "SSBFGS", "SSBroyden"), _PHASE),
    "GaussNewton": {**_PHASE, "hold": "freeze"},
}
"""Class ↦ the names of its options today, by their former names."""

_SHORT = {old.rpartition(".")[2]: new.rpartition(".")[2] for old, new in CLASSES.items()}
"""The name of a class without its package, by which configurations may call it."""

_NAMING = ("class_path", "sampler")
"""Keys of a configuration whose value is the name of a class."""


def renamed(path: str) -> str:
    """The path of a class today; a warning of one line says that a former path was given.

    Args:
        path: With its package, as in `pinnlab.geometry.At`, or the name alone, as in `At`.
    """
    today = CLASSES.get(path, _SHORT.get(path, path))
    if today != path:
        _say(path, today)
    return today


def renamed_option(path: str, name: str) -> str:
    """The name today of an option of a class; a warning of one line says that a former name was given.

    Args:
        path: Of the class, with its package or its name alone.
        name: Of the option.
    """
    today = _option(path, name)
    if today != name:
        _say(f"{name} of {path.rpartition('.')[2]}", today)
    return today


def option_of(kind: type, name: str) -> str:
    """The name today of an option of a class, which may be another package's and have it from one of ours."""
    found = (_option(f"{base.__module__}.{base.__name__}", name) for base in kind.__mro__)
    new = next((new for new in found if new != name), name)
    return name if new == name or name in inspect.signature(kind.__init__).parameters else new  # type: ignore[misc]


def with_new_options(kind: type, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a class by the names that its options have today."""
    today = {name: option_of(kind, name) for name in arguments}
    for old in [name for name, new in today.items() if new != name]:
        _say(f"{old} of {kind.__name__}", today[old])
    return {today[name]: value for name, value in arguments.items()}


def with_new_names(content: Any) -> Any:
    """A configuration in which class paths and options have the names of today."""
    if isinstance(content, list):
        return [with_new_names(item) for item in content]
    if not isinstance(content, Mapping):
        return content
    found = {
        key: renamed(value) if key in _NAMING and isinstance(value, str) else with_new_names(value)
        for key, value in content.items()
    }
    arguments = found.get("init_args")
    if isinstance(arguments, Mapping):
        path = str(found.get("class_path"))
        found["init_args"] = {renamed_option(path, name): value for name, value in arguments.items()}
    return found


def former(module: str, name: str) -> Any:
    """What a module offered under a former name: its `__getattr__`.

    Raises:
        AttributeError: if there was no such name.
    """
    path = f"{module}.{name}"
    if path not in CLASSES:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    package, _, today = renamed(path).rpartition(".")
    return getattr(import_module(package), today)


def _option(path: str, name: str) -> str:
    package, _, kind = path.rpartition(".")
    return OPTIONS.get(kind, {}).get(name, name) if package.split(".")[0] in ("", "pinnlab") else name


def _say(old: str, new: str) -> None:
    logging.getLogger("pinnlab").warning("pinnlab: %s is an old name: write %s", old, new)
