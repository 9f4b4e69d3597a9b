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


def renamed(path: str) -> str:
    """The path of a class today; a former one is told in a warning of one line."""
    if path not in _PACKAGES:
        return path
    logging.getLogger("pinnlab").warning("pinnlab: %s is an old name: write %s", path, _PACKAGES[path])
    return _PACKAGES[path]


def with_new_names(content: Any) -> Any:
    """A configuration whose class paths are those of today."""
    if isinstance(content, list):
        return [with_new_names(item) for item in content]
    if not isinstance(content, Mapping):
        return content
    return {
        key: renamed(value) if key == "class_path" and isinstance(value, str) else with_new_names(value)
        for key, value in content.items()
    }
