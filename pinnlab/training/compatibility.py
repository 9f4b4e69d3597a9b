"""Whether a checkpoint is of this equation and network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from pinnlab.errors import UserError


def check_same(
    checkpoint: Mapping[str, Any], equation: str, settings: Mapping[str, Any], state: Mapping[str, Tensor]
) -> None:
    """Makes sure that a checkpoint is of the same equation and network.

    Args:
        checkpoint: Its contents.
        equation: The name of the equation.
        settings: How equation and network were configured, if a file did.
        state: The parameters and buffers by name.

    Raises:
        UserError: if it is of another equation or network, saying what differs.
    """
    own, stored = checkpoint.get("pinnlab"), checkpoint.get("state_dict")
    if own is None or stored is None:
        raise UserError("the checkpoint was not written by pinnlab")
    if own["equation"] != equation:
        raise UserError(f"the checkpoint holds {own['equation']}, but the configuration has {equation}")
    for key, value, given in differences(own["settings"], settings):
        raise UserError(f"the checkpoint was written with {key} = {value}, but the configuration has {given}")
    for name, value in state.items():
        if name not in stored:
            raise UserError(f"the checkpoint has no {name}: it was written with another network or equation")
        if stored[name].shape != value.shape:
            raise UserError(
                f"the checkpoint's {name} has the shape {tuple(stored[name].shape)}, but the configuration "
                f"makes it {tuple(value.shape)}: it was written with another network"
            )
    extra = [name for name in stored if name not in state]
    if extra:
        raise UserError(f"the checkpoint has {extra[0]}, which this network and equation lack")


def differences(
    stored: Mapping[str, Any], given: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """What two nested dictionaries say differently: the key with dots, and both values.

    Keys that one of them lacks are passed over: a version of the package that has no such option wrote it.
    """
    for key in stored:
        if key in given and stored[key] != given[key]:
            if isinstance(stored[key], Mapping) and isinstance(given[key], Mapping):
                yield from differences(stored[key], given[key], f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", stored[key], given[key]
