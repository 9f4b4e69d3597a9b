"""Former names of classes, kept for one release: configurations and records of earlier runs have them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

_PACKAGES = {
    "pinnlab.equations.Blasius": "pinnlab.problems.Blasius",
    "pinnlab.equations.Poisson": "pinnlab.problems.Poisson",
    "pinnlab.equations.SelfSimilarBurgers": "pinnlab.problems.SelfSimilarBurgers",
    "pinnlab.equations.ViscousBurgers": "pinnlab.problems.ViscousBurgers",
    "pinnlab.equations.burgers.BurgersAnsatz": "pinnlab.problems.parabolic.viscous_burgers.BurgersAnsatz",
    "pinnlab.training.adaptation.ResidualAdaptive": "pinnlab.training.callbacks.ResidualAdaptive",
    "pinnlab.training.broyden.SSBFGS": "pinnlab.training.SSBFGS",
    "pinnlab.training.broyden.SSBroyden": "pinnlab.training.SSBroyden",
    "pinnlab.training.gauss_newton.GaussNewton": "pinnlab.training.GaussNewton",
}
"""What a class is called today, by its former path."""

OPTIONS = {"NTP": {"rule": "composition"}}
"""Class ↦ the names of its options today, by their former names."""


def renamed(path: str) -> str:
    """The path of a class today; a former one is told in a warning of one line."""
    if path not in _PACKAGES:
        return path
    _say(path, _PACKAGES[path])
    return _PACKAGES[path]


def with_new_names(content: Any) -> Any:
    """A configuration in which class paths and options have the names of today."""
    if isinstance(content, list):
        return [with_new_names(item) for item in content]
    if not isinstance(content, Mapping):
        return content
    found = {
        key: renamed(value) if key == "class_path" and isinstance(value, str) else with_new_names(value)
        for key, value in content.items()
    }
    arguments = found.get("init_args")
    if isinstance(arguments, Mapping):
        found["init_args"] = _options(str(found.get("class_path")), arguments)
    return found


def _options(path: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    package, _, kind = path.rpartition(".")
    known = OPTIONS.get(kind, {}) if package.split(".")[0] in ("", "pinnlab") else {}
    for old in known.keys() & arguments.keys():
        _say(f"{old} of {kind}", known[old])
    return {known.get(name, name): value for name, value in arguments.items()}


def _say(old: str, new: str) -> None:
    logging.getLogger("pinnlab").warning("pinnlab: %s is an old name: write %s", old, new)
