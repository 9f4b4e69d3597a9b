"""Options of `fit` that a solve to a tolerance leaves no room for, and why."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pinnlab.errors import UserError
from pinnlab.training.pinn import PINN


def superfluous(values: Mapping[str, Any]) -> list[str]:
    """Keys that a solve to a tolerance need not see: options of trainings, with values that it agrees with.

    Args:
        values: What is given, by keys with dots.

    Raises:
        UserError: naming an option that it chooses itself or has no use for.
    """
    found = []
    for key, value in values.items():
        for begin, complaint in _COMPLAINTS.items():
            if key == begin or key.startswith(f"{begin}."):
                if value not in (None, {}) and (said := complaint(key, value)):
                    raise UserError(said)
                found.append(key)
                break
    return found


HOW_EXACT = ("tol", "tol_unknowns", "recipe", "time_limit", "memory")
"""Options that ask for a solve to a tolerance."""

_OUT = "leave it out, or give --model.phases to train by hand"


def _itself(key: str, value: Any) -> str:
    name = ".".join(key.split(".")[:2])
    return f"{name}: a solve to a tolerance chooses it itself: leave it out, or all of {', '.join(HOW_EXACT)}"


def _alone(key: str, value: Any) -> str:
    return "" if value == 1 else f"{key}: a solve to a tolerance runs in one process: leave {key} out, or make it 1"


def _goes_on(key: str, value: Any) -> str:
    return "" if value == "last" else f"{key}: a solve to a tolerance goes on from its folder alone: leave it out"


def _from_nothing(key: str, value: Any) -> str:
    return f"{key}: a solve to a tolerance begins from nothing: {_OUT}"


def _every_step(key: str, value: Any) -> str:
    return f"{key}: a solve to a tolerance keeps each of its steps: {_OUT}"


_COMPLAINTS: dict[str, Callable[[str, Any], str]] = {
    **{f"model.{name}": _itself for name in inspect.signature(PINN).parameters if name != "equation"},
    "data": _itself,
    # job scripts give these two
    "trainer.devices": _alone,
    "trainer.num_nodes": _alone,
    "trainer": _itself,
    "weights_only": _itself,
    "ckpt_path": _goes_on,
    "run.warm_start": _from_nothing,
    "run.checkpoint_seconds": _every_step,
    "run.checkpoint_steps": _every_step,
}
"""What there is to say about an option and its value, by the beginning of its key; nothing where both may be given."""
