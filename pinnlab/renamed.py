"""Former names of classes and of their options, kept for one release: configurations and earlier runs have them."""

from __future__ import annotations

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
    "pinnlab.training.adaptation.ResidualAdaptive": "pinnlab.training.callbacks.ResidualAdaptive",
    "pinnlab.training.broyden.SSBFGS": "pinnlab.training.SSBFGS",
    "pinnlab.training.broyden.SSBroyden": "pinnlab.training.SSBroyden",
    "pinnlab.training.gauss_newton.GaussNewton": "pinnlab.training.GaussNewton",
}
"""The path of a class or function today, by its former path."""

OPTIONS = {"NTP": {"rule": "composition"}, "ViscousBurgers": {"moderation": "normalisation"}}
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
        found["init_args"] = _options(str(found.get("class_path")), arguments)
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


def _options(path: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    package, _, kind = path.rpartition(".")
    known = OPTIONS.get(kind, {}) if package.split(".")[0] in ("", "pinnlab") else {}
    for old in known.keys() & arguments.keys():
        _say(f"{old} of {kind}", known[old])
    return {known.get(name, name): value for name, value in arguments.items()}


def _say(old: str, new: str) -> None:
    logging.getLogger("pinnlab").warning("pinnlab: %s is an old name: write %s", old, new)
